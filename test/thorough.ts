/** Rows of a table that .ci/run tries all of (NN_THOROUGH), and `npm test`, which is to end in eight minutes, one in four: of every row and column of
 *  three or five, some. */
export const someOf = <Row>(rows: readonly Row[]): Row[] =>
  rows.filter((_, i) => process.env['NN_THOROUGH'] !== undefined || i % 4 === 0);
