import { type Dialect, quoted } from './completion.ts';

/** What bash and zsh have in common. */
export const posix: Dialect = {
  define: (name, lines) => [`${name}() {`, ...lines.map((line) => `  ${line}`), '}'],
  choose: (parameters, branches) => [
    `case "${parameters === 1 ? '$1' : '$1 $2'}" in`,
    ...branches.map(([patterns, statement]) => `  ${patterns.map(quoted).join('|')}) ${statement} ;;`),
    'esac',
  ],
  set: (name, value) => `${name}=${quoted(value)}`,
};

/** Prints what may stand in a place, a word a line with its meaning behind a tab, or @file or @folder: `__nn_candidates CURRENT WORD…`, with
 *  the words before it. All of it is the shell's own: no program is started. */
export const posixCandidates = String.raw`
__nn_candidates() {
  local current="$1" command='' flag='' only='' word
  shift
  while [ $# -gt 0 ]; do
    word="$1"
    shift
    if [ -n "$flag" ]; then flag=''; continue; fi
    if [ -n "$only" ]; then continue; fi
    case "$word" in
      --) only=yes ;;
      --*=*|help) ;;
      -*) __nn_value "$command" "$word"; if [ -n "$__nn_kind" ]; then flag="$word"; fi ;;
      *)
        __nn_is "${'$'}{command:+$command }$word"
        if [ -n "$__nn_kind" ]; then command="${'$'}{command:+$command }$word"
        elif [ -z "$command" ]; then return
        fi ;;
    esac
  done
  if [ -n "$flag" ]; then
    __nn_value "$command" "$flag"
    __nn_take '' "$current"
    return
  fi
  case "$only$current" in
    --*=*) __nn_value "$command" "${'$'}{current%%=*}"; __nn_take "${'$'}{current%%=*}=" "${'$'}{current#*=}" ;;
    -*) __nn_flags "$command" ;;
    *)
      if [ -z "$only" ]; then __nn_commands "$command"; fi
      __nn_operand "$command"
      __nn_take '' "$current" ;;
  esac
}

__nn_take() {
  local word
  case "$__nn_kind" in
    file|folder) printf '%s\n' "@$__nn_kind" ;;
    setting) __nn_settings "$1" "$2" ;;
    none) for word in $(printf '%s' "$__nn_words"); do printf '%s\n' "$1$word"; done ;;
  esac
}

__nn_settings() {
  local head field line
  case "$2" in
    *=*)
      field="${'$'}{2%%=*}"
      __nn_values "$(__nn_general "$field")" | while IFS= read -r line; do printf '%s\n' "$1$field=$line"; done ;;
    *)
      head=''
      case "$2" in *.*) head="${'$'}{2%.*}." ;; esac
      __nn_fields "$(__nn_general "$head")" | while IFS= read -r line; do printf '%s\n' "$1$head$line"; done ;;
  esac
}

__nn_general() {
  local before after
  case "$1" in
    *.[0-9]*.*)
      before="${'$'}{1%%.[0-9]*}"
      after="${'$'}{1#"$before".}"
      printf '%s\n' "$before.0.${'$'}{after#*.}" ;;
    *) printf '%s\n' "$1" ;;
  esac
}
`.trim();
