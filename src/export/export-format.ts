import type { CheckedExport } from '../results/export.ts';
import type { ExportedModel } from './exported-model.ts';

/** A kind of file that a model is exported to. */
export interface ExportFormat {
  summary: string;
  /** with its dot: by it --out tells the format */
  extension: string;
  /** Whether a file is of this kind, by its first bytes. @param start  up to `recognizedBytes` of them */
  recognizes(start: Uint8Array): boolean;
  /** the numbers that it holds, where they are not those of the model */
  precision?: 'float32';
  /** The bytes of the file. @throws UserError (usage) where the model is more than the format takes */
  write(model: ExportedModel): Promise<Uint8Array>;
  /** Has the file answer for the pictures that it carries, and compares.
   *  @param file  for messages
   *  @throws UserError (model) where it is damaged; UserError (usage) where what runs it is not installed */
  check(bytes: Uint8Array, file: string): Promise<CheckedExport>;
}

/** So many bytes at the start tell the kind of a file. */
export const recognizedBytes = 64;
