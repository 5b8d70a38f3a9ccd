const bars = '▁▂▃▄▅▆▇█';

/** One character per number, as high as it is compared with the largest; a space for none. */
export function sparkline(numbers: readonly number[]): string {
  const largest = Math.max(...numbers, 0);
  return numbers.map((number) => barOf(number, largest)).join('');
}

function barOf(number: number, largest: number): string {
  if (number <= 0) return ' ';
  return bars[Math.ceil((number / largest) * bars.length) - 1] ?? ' ';
}
