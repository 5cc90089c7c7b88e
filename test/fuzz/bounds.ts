/** What no input may exceed, whatever is in it. docs/reliability.md, "Hostile files", states them. */
export const bounds = {
  /** for reading one input, up to three times where the answers are compared; drawing an SVG alone is given up after 10 */
  seconds: 30,
  /** of resident memory over what the process had after reading a sound file */
  bytes: 1024 ** 3,
  /** of an error's message: it is read by people */
  messageCharacters: 20_000,
};
