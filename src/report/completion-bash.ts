import { type CommandLineWords, tables } from './completion.ts';
import { posix, posixCandidates } from './completion-posix.ts';

/** A completion script for bash 3.2 and later; it needs nothing beside it. */
export function bashCompletion(words: CommandLineWords): string {
  return `# Completion of nn ${words.version} for bash: source <(nn completion bash)
${tables(words, posix).join('\n')}
${posixCandidates}
${glue}
complete -o nospace -o default -F _nn nn`;
}

/** readline cuts words at = and :, which belong to them, and replaces what is behind the last cut. */
const glue = String.raw`
_nn() {
  local i word candidate cut='' joined=0
  local -a before
  before=('')
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word="${'$'}{COMP_WORDS[i]}"
    if [[ $i -gt 1 && ( "$word" == [=:]* || $joined == 1 ) ]]; then before[${'$'}{#before[@]}-1]+="$word"
    else before+=("$word")
    fi
    joined=0
    if [[ "$word" == *[=:] ]]; then joined=1; fi
  done
  local current="${'$'}{before[${'$'}{#before[@]}-1]}"
  case "$current" in *[=:]*) cut="${'$'}{current%"${'$'}{current##*[=:]}"}" ;; esac
  COMPREPLY=()
  while IFS= read -r candidate; do
    candidate="${'$'}{candidate%%${'$'}'\t'*}"
    case "$candidate" in
      @folder) compopt -o dirnames +o default +o nospace 2>/dev/null; return ;;
      @file) compopt +o nospace 2>/dev/null; return ;;
      "$current"*[=.]) COMPREPLY+=("${'$'}{candidate#"$cut"}") ;;
      "$current"*) COMPREPLY+=("${'$'}{candidate#"$cut"} ") ;;
    esac
  done < <(__nn_candidates "$current" "${'$'}{before[@]:1:${'$'}{#before[@]}-2}")
  if [[ ${'$'}{#COMPREPLY[@]} == 0 ]]; then compopt +o default 2>/dev/null; fi
}
`.trim();
