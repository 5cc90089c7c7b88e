import { type Lines, linesOf } from './text.ts';

/** Exit codes of the command line, by what went wrong. The one table; docs and tests read it. */
export const exitCodes = {
  done: 0,
  fault: 1,
  usage: 2,
  data: 3,
  model: 4,
  diverged: 5,
  gate: 6,
  someFailed: 7,
  notPositive: 8,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitKind = keyof typeof exitCodes;

/** In a few words, for help. */
export const exitMeanings: Record<ExitKind, string> = {
  done: 'done',
  fault: 'a fault of nn',
  usage: 'usage or config',
  data: 'data',
  model: 'model file',
  diverged: 'training diverged',
  gate: 'a gate was missed',
  someFailed: 'some pictures failed',
  notPositive: 'not all positive',
  hungUp: 'the terminal was closed',
  interrupted: 'interrupted',
  terminated: 'terminated',
};

/** A failure that the user can mend: its message says where, what was expected and what was found. */
export class UserError extends Error {
  readonly kind: ExitKind;
  /** of the message: a line for each thing that is wrong */
  readonly lines: readonly string[];
  readonly hint: Lines | undefined;

  /** @param options.hint  what to do about it, a sentence of its own */
  constructor(kind: ExitKind, message: Lines, options: { hint?: Lines | undefined; cause?: unknown } = {}) {
    const lines = linesOf(message);
    super(lines.join('\n'), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UserError';
    this.kind = kind;
    this.lines = lines;
    this.hint = options.hint;
  }

  get exitCode(): number {
    return exitCodes[this.kind];
  }
}

/** What is wrong with data, which a person can mend: the kind of nearly all that reading refuses. */
export class DataError extends UserError {
  constructor(message: Lines, options: { hint?: Lines | undefined; cause?: unknown } = {}) {
    super('data', message, options);
  }
}

/** Whether memory could not be had, of JavaScript or of WebAssembly. Where a limit on addresses (ulimit -v) holds, nothing tells
 *  beforehand. */
export function isOutOfMemory(error: unknown): boolean {
  return (
    error instanceof RangeError &&
    /allocation failed|(could not|cannot) allocate|Maximum memory size|typed array length/i.test(error.message)
  );
}

/** Whether this process, or the whole system, has too many files open: that says nothing of the file that was to be opened. */
export function isOutOfFiles(error: unknown): boolean {
  return error instanceof Error && ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Whether a call of the system failed, such as one that writes to a full disk. Node's own errors have a `code` too, but those
 *  are bugs: ERR_OUT_OF_RANGE says nothing of a disk. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

/** The words for a failed system call, for a sentence to a person: `ENOENT` becomes "no such file". */
export function systemReason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return (code && reasons[code]) ?? (error instanceof Error ? error.message : String(error));
}

/** What the system says of a file that it does not let be written. */
export function unwritable(path: string, error: unknown): UserError {
  return new UserError('data', `${path}: can't be written: ${systemReason(error)}`, { cause: error });
}

const reasons: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder',
  ERR_FS_EISDIR: 'it is a folder', // Node's own word for it, from `rm`
  ENOTDIR: 'a part of the path is not a folder',
  ELOOP: 'a link that leads to itself',
  ENOSPC: 'no space left on the disk',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files (raise the limit: ulimit -n 1024)',
  ENFILE: 'too many open files in the whole system',
  EEXIST: 'it exists already',
  EFBIG: 'the file is larger than the system allows',
  EDQUOT: "the user's share of the disk is used up",
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the disk failed to answer',
  ESTALE: 'the network share has lost it',
  ETIMEDOUT: 'the network share does not answer',
  ENXIO: 'nothing answers there',
  EBUSY: 'something else uses it',
  EXDEV: 'the other place is on another disk',
};

/** A value from outside as JSON, cut to a length that is read. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const text = jsonOf(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return 'something nested too deep to show'; // the only thing from JSON that can't be JSON again
  }
}
