/** A text for each of many things, such as the names of pictures: in memory, as an array is, or read when they are asked for. */
export interface Texts {
  readonly length: number;
  /** Those from `first` to the one before `end`. */
  slice(first: number, end: number): readonly string[] | Promise<readonly string[]>;
}
