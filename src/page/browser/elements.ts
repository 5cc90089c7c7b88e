/** Elements of the page. Texts from outside become text alone: none is ever read as HTML. */

/** An element that the page has from the start. */
export function part<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found as Kind;
}

/** A new element. @param of  its class, and its attributes */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  of: Readonly<Record<string, string>> = {},
  ...inner: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(of)) made.setAttribute(name, value);
  made.append(...inner);
  return made;
}

/** RGB bytes as a canvas, whose pixels stay squares where it is enlarged.
 *  @param pixels  (side, side, 3) */
export function canvasOf(pixels: Uint8Array, title: string): HTMLCanvasElement {
  const side = Math.sqrt(pixels.length / 3);
  const canvas = element('canvas', { role: 'img', 'aria-label': title });
  canvas.width = canvas.height = side;
  const image = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    image.data.set(pixels.subarray(3 * i, 3 * i + 3), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0);
  return canvas;
}

/** Lets the browser show what has changed, and answer the reader, before work goes on. */
export const breath = () => new Promise<void>((go) => setTimeout(go));
