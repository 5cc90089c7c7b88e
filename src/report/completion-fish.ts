import { type CommandLineWords, type Dialect, quoted, tables } from './completion.ts';

/** A completion script for fish 3 and later, with what each word means beside it. */
export function fishCompletion(words: CommandLineWords): string {
  return `# Completion of nn ${words.version} for fish: nn completion fish | source
${tables(words, fish).join('\n')}
${glue}
complete -c nn -e
complete -c nn -f -a '(__nn_complete)'`;
}

const fish: Dialect = {
  define: (name, lines) => [`function ${name}`, ...lines.map((line) => `  ${line}`), 'end'],
  choose: (parameters, branches) => [
    `switch "${parameters === 1 ? '$argv[1]' : '$argv[1] $argv[2]'}"`,
    ...branches.flatMap(([patterns, statement]) => [`  case ${patterns.map(quoted).join(' ')}`, `    ${statement}`]),
    'end',
  ],
  set: (name, value) => `set -g ${name} ${quoted(value)}`,
};

const glue = String.raw`
function __nn_complete
  set -l current (commandline -ct)
  set -l command ''
  set -l flag ''
  set -l only ''
  for word in (commandline -opc)[2..]
    if test -n "$flag"
      set flag ''
      continue
    end
    test -n "$only"; and continue
    switch "$word"
      case '--'
        set only yes
      case '--*=*' help
      case '-*'
        __nn_value "$command" "$word"
        test -n "$__nn_kind"; and set flag "$word"
      case '*'
        set -l longer (string trim -- "$command $word")
        __nn_is "$longer"
        if test -n "$__nn_kind"
          set command "$longer"
        else if test -z "$command"
          return
        end
    end
  end
  if test -n "$flag"
    __nn_value "$command" "$flag"
    __nn_take '' "$current"
    return
  end
  switch "$only$current"
    case '--*=*'
      set -l parts (string split -m 1 = -- "$current")
      __nn_value "$command" "$parts[1]"
      __nn_take "$parts[1]=" "$parts[2]"
    case '-*'
      __nn_flags "$command"
    case '*'
      test -z "$only"; and __nn_commands "$command"
      __nn_operand "$command"
      __nn_take '' "$current"
  end
end

function __nn_take
  switch "$__nn_kind"
    case file
      for path in (__fish_complete_path "$argv[2]"); printf '%s\n' "$argv[1]$path"; end
    case folder
      for path in (__fish_complete_directories "$argv[2]" ''); printf '%s\n' "$argv[1]$path"; end
    case setting
      __nn_settings "$argv[1]" "$argv[2]"
    case none
      test -n "$__nn_words"; and for word in (string split ' ' -- "$__nn_words"); printf '%s\n' "$argv[1]$word"; end
  end
end

function __nn_settings
  set -l parts (string split -m 1 = -- "$argv[2]")
  if set -q parts[2]
    for word in (__nn_values (__nn_general "$parts[1]")); printf '%s\n' "$argv[1]$parts[1]=$word"; end
  else
    set -l head (string match -r '.*\.' -- "$argv[2]")
    for word in (__nn_fields (__nn_general "$head")); printf '%s\n' "$argv[1]$head$word"; end
  end
end

function __nn_general
  string replace -r '\.[0-9]+\.' '.0.' -- "$argv[1]"
end
`.trim();
