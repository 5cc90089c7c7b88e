import type { Original, Preprocessing } from './image.ts';

/** A collection of labelled pictures that is read one by one: nothing of it is kept in memory but names. */
export interface Source {
  /** how errors and reports call it */
  title: string;
  count: number;
  /** the two class names, sorted by UTF-16 code units; or what else was found, for the error */
  classes: readonly string[];
  name(index: number): string;
  /** an index into `classes` */
  classOf(index: number): number;
  /** @throws UserError (data) with the reason, where this one picture can't be read */
  read(index: number, preprocessing: Preprocessing): Promise<SourcePicture>;
  /** the picture as the source holds it, for `nn data inspect`; `contentHash` of it is the hash that `read` gives.
   *  @throws UserError (data) with the reason, where this one picture can't be read */
  original(index: number): Promise<Original>;
  /** what was passed over, for a warning; empty where nothing was */
  notes: readonly string[];
}

export interface SourcePicture {
  /** imageSize · imageSize · 3 bytes */
  pixels: Uint8Array;
  /** of the picture as the source holds it */
  hash: string;
}
