import { channelMeans, measure } from './measure.ts';

/** What a square shows as a whole, as one number each: light, colour and detail. Parts whose pictures were taken in other places,
 *  by other cameras or at other sizes differ in the means of these. */
export const squareMeasures = {
  brightness: { title: 'brightness', unit: 'of 255' },
  contrast: { title: 'contrast', unit: 'of 255' },
  red: { title: 'red over green', unit: 'of 255' },
  blue: { title: 'blue over green', unit: 'of 255' },
  sharpness: { title: 'sharpness', unit: '' },
} as const satisfies Record<string, { title: string; unit: string }>;

export type SquareMeasure = keyof typeof squareMeasures;
export const squareMeasureNames = Object.keys(squareMeasures) as SquareMeasure[];

/** A column for each. */
export type SquareColumns = Record<SquareMeasure, Float32Array>;

export function allocateSquares(count: number): SquareColumns {
  const columns = squareMeasureNames.map((name) => [name, new Float32Array(count)]);
  return Object.fromEntries(columns) as SquareColumns;
}

/** Measures one square, as the network sees it.
 *  @param pixels  side · side · 3 bytes */
export function setSquare(columns: SquareColumns, index: number, pixels: Uint8Array, side: number): void {
  const square = { width: side, height: side, pixels };
  const { brightness, contrast, sharpness } = measure(square);
  const [red, green, blue] = channelMeans(square);
  columns.brightness[index] = brightness;
  columns.contrast[index] = contrast;
  columns.red[index] = red - green;
  columns.blue[index] = blue - green;
  columns.sharpness[index] = Math.sqrt(sharpness); // its square is skewed: few pictures would make the mean
}
