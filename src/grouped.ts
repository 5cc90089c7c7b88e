/** 12288 becomes 12,288. Of numbers with three decimals at most; toLocaleString would do it too, and take 20 ms when it is first called. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** 1,500,000,000 becomes 1.5 GB, 512 becomes 512 bytes. */
export function byteText(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  for (; amount >= 1000 && unit < units.length - 1; unit++) amount /= 1000;
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}

/** Two sizes of which one is too much for the other, told so exactly that they differ. */
export function byteTexts(one: number, other: number): [string, string] {
  const rough: [string, string] = [byteText(one), byteText(other)];
  return rough[0] === rough[1] ? [`${grouped(one)} bytes`, `${grouped(other)} bytes`] : rough;
}
