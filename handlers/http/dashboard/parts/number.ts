const format = new Intl.NumberFormat('en');

/** `12,345`. */
export function grouped(count: number): string {
  return format.format(count);
}

/** A count that stopped at a limit: `10,000+`. */
export function capped({ count, isCapped }: { readonly count: number; readonly isCapped: boolean }): string {
  return isCapped ? `${grouped(count)}+` : grouped(count);
}
