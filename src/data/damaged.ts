import { UserError } from '../errors.ts';

/** A file that is not what its name or its beginning says, whoever reads it: cut off, overwritten, empty, gone. */
export class DamagedFile extends UserError {
  constructor(reason: string, cause?: unknown) {
    super('data', reason, { cause });
  }
}
