import { exitCodes, UserError } from '../errors.ts';
import { withinLimits } from '../machine-memory.ts';
import { linesOf } from '../text.ts';

/** What can be wrong: options and config, pictures, a model file or checkpoint, a training that diverged. */
export type NnErrorKind = 'usage' | 'data' | 'model' | 'diverged';
const kinds: readonly string[] = ['usage', 'data', 'model', 'diverged'] satisfies NnErrorKind[];

/** What went wrong, where whoever calls can mend it: a config, pictures, a model file, a training that diverged. Any other error is a fault of
 *  nn, or of the caller's own code. */
export class NnError extends Error {
  readonly kind: NnErrorKind;
  /** what to do about it, in sentences; null where the message says it all */
  readonly hint: string | null;

  constructor(error: Mendable) {
    super(error.message, { cause: error.cause });
    this.name = 'NnError';
    this.kind = error.kind;
    this.hint = error.hint === undefined ? null : linesOf(error.hint).join('\n');
  }

  /** the exit code of `nn` for it */
  get exitCode(): number {
    return exitCodes[this.kind];
  }
}

/** Does work for a program: what a user could mend is thrown as an NnError, all else as it is. */
export async function forProgram<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    const error = withinLimits(thrown);
    throw isMendable(error) ? new NnError(error) : error;
  }
}

type Mendable = UserError & { readonly kind: NnErrorKind };

function isMendable(error: unknown): error is Mendable {
  return error instanceof UserError && kinds.includes(error.kind);
}
