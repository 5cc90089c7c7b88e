import type { Context } from '../../src/commands/command.ts';

type Said = Record<'printed' | 'warned' | 'noted' | 'complained', string[]>;

/** What a command says, for tests that run one without a process of its own. */
export function listeningContext(changes: Partial<Context> = {}): { context: Context; said: Said } {
  const said: Said = { printed: [], warned: [], noted: [], complained: [] };
  const into = (list: string[]) => (text: unknown) => void list.push([text].flat(9).join('\n'));
  const context = {
    environment: { NN_CACHE: 'off' },
    json: false,
    verbose: false,
    isTerminal: false,
    print: into(said.printed),
    printRow: (cells: readonly string[]) => void said.printed.push(cells.join('\t')),
    printExact: into(said.printed),
    note: into(said.noted),
    warn: into(said.warned),
    complain: into(said.complained),
    progress: () => ({ update() {}, stop() {} }),
    signal: new AbortController().signal,
    readStdin: async () => new Uint8Array(),
    style: (_: unknown, text: string) => text,
    ...changes,
  };
  return { context, said };
}
