/** Whether .ci/run asks (NN_THOROUGH), which tries all; `npm test` is to end in eight minutes, and leaves out what takes long and repeats a kind that another test tries. */
export const isThorough = process.env['NN_THOROUGH'] !== undefined;

/** Rows of a table that .ci/run tries all of, and `npm test` one in four: of every row and column of three or five, some. */
export const someOf = <Row>(rows: readonly Row[]): Row[] => rows.filter((_, i) => isThorough || i % 4 === 0);
