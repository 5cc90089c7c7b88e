/** 12288 becomes 12,288. Of numbers with three decimals at most; toLocaleString would do it too, and take 20 ms when it is first called. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}
