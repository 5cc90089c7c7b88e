/** Maps of what speaks for and against the positive class, as RGB squares: side · side · 3 bytes, row after row. */

type Colour = readonly [red: number, green: number, blue: number];

/** Orange and blue are told apart by people who see no difference of red and green, and by their lightness from white, which is 0. */
export const speaksFor: Colour = [202, 84, 0];
export const speaksAgainst: Colour = [20, 84, 168];
const white: Colour = [255, 255, 255];

/** How much of the picture the strongest colour of an overlay hides. */
const mostHidden = 0.9;
/** The grey of black in an overlay, so that colours are told apart there too; white stays white. */
const darkest = 100;
/** Weak parts of an overlay show too: below 1 they show more. */
const overlayPower = 0.7;

/** The value that has the full colour: 99 of 100 are no larger, so that a few strong pixels do not make the others pale.
 *  @returns above 0, also where all values are 0 */
export function colourBound(map: Float64Array): number {
  const sizes = map.map(Math.abs).sort();
  const bound = sizes[Math.ceil(0.99 * sizes.length) - 1]!;
  return bound || sizes.at(-1)! || 1;
}

/** The colour of a value: from blue at −bound through white at 0 to orange at bound, and no further. */
export function colourOf(value: number, bound: number): Colour {
  return mixed(white, value > 0 ? speaksFor : speaksAgainst, share(value, bound));
}

/** The map alone. @param map  (side, side) */
export function mapSquare(map: Float64Array, bound = colourBound(map)): Uint8Array {
  return squareOf(map, (value) => colourOf(value, bound));
}

/** The map laid over the picture, which is made grey and light.
 *  @param pixels  (side, side, 3) bytes
 *  @param map     (side, side) */
export function overlaySquare(pixels: Uint8Array, map: Float64Array, bound = colourBound(map)): Uint8Array {
  return squareOf(map, (value, at) => {
    const luma = 0.299 * pixels[3 * at]! + 0.587 * pixels[3 * at + 1]! + 0.114 * pixels[3 * at + 2]!; // Rec. 601
    const grey = darkest + (luma * (255 - darkest)) / 255;
    const hidden = mostHidden * share(value, bound) ** overlayPower;
    return mixed([grey, grey, grey], value > 0 ? speaksFor : speaksAgainst, hidden);
  });
}

/** |value| of bound, at most 1. */
function share(value: number, bound: number): number {
  return Math.min(1, Math.abs(value) / bound);
}

function mixed(from: Colour, to: Colour, part: number): Colour {
  const at = (c: 0 | 1 | 2) => from[c] + (to[c] - from[c]) * part;
  return [at(0), at(1), at(2)];
}

function squareOf(map: Float64Array, colour: (value: number, at: number) => Colour): Uint8Array {
  const square = new Uint8ClampedArray(map.length * 3); // which rounds
  for (const [at, value] of map.entries()) square.set(colour(value, at), 3 * at);
  return new Uint8Array(square.buffer);
}
