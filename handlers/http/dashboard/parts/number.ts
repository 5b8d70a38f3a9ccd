const format = new Intl.NumberFormat('en');

/** Formats a number, such as `12,345`. */
export function grouped(count: number): string {
  return format.format(count);
}

/** Formats a count. If it stopped at a limit, appends a plus: `10,000+`. */
export function capped({ count, isCapped }: { readonly count: number; readonly isCapped: boolean }): string {
  return isCapped ? `${grouped(count)}+` : grouped(count);
}
