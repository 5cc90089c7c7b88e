/** What an op takes or gives for one example: a picture, its channels together, or a vector. */
export type Shape = { height: number; width: number; channels: number } | { features: number };

/** n, the numbers of an example. */
export function featuresOf(shape: Shape): number {
  return 'features' in shape ? shape.features : shape.height * shape.width * shape.channels;
}

/** n_x = side² · 3 numbers are a square picture in RGB; any other number is a vector. */
export function inputShape(inputs: number): Shape {
  const side = Math.sqrt(inputs / 3);
  return Number.isInteger(side) ? { height: side, width: side, channels: 3 } : { features: inputs };
}
