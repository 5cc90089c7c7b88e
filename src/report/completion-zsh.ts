import { type CommandLineWords, tables } from './completion.ts';
import { posix, posixCandidates } from './completion-posix.ts';

/** A completion script for zsh, with what each word means beside it. */
export function zshCompletion(words: CommandLineWords): string {
  return `#compdef nn
# Completion of nn ${words.version} for zsh: source <(nn completion zsh)
${tables(words, posix).join('\n')}
${posixCandidates}
${glue}
(( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit -i }
compdef _nn nn`;
}

const glue = String.raw`
_nn() {
  local line word
  local -a open closed meanings
  local current="$PREFIX"
  for line in "${'$'}{(@f)$(__nn_candidates "$current" "${'$'}{(@Q)words[2,CURRENT-1]}")}"; do
    word="${'$'}{line%%$'\t'*}"
    case "$line" in
      '') ;;
      @file) compset -P '--*='; _files; return ;;
      @folder) compset -P '--*='; _files -/; return ;;
      *[=.]) open+=("$word") ;;
      *) closed+=("$word"); if [[ "$line" == *$'\t'* ]]; then meanings+=("${'$'}{(r:18:)word}  ${'$'}{line#*$'\t'}"); else meanings+=("$word"); fi ;;
    esac
  done
  if (( ${'$'}{#open} )); then compadd -Q -S '' -- "${'$'}{(@)open}"; fi
  if (( ${'$'}{#closed} )); then compadd -Q -l -d meanings -- "${'$'}{(@)closed}"; fi
}
`.trim();
