const format = new Intl.NumberFormat('en');

/** Returns a number such as `12,345`. */
export function grouped(count: number): string {
  return format.format(count);
}

/** Returns a count, such as `10,000+` if it stopped at a limit. */
export function capped({ count, isCapped }: { readonly count: number; readonly isCapped: boolean }): string {
  return isCapped ? `${grouped(count)}+` : grouped(count);
}
