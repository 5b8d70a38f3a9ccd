const bars = '▁▂▃▄▅▆▇█';

/** Returns a bar for each number, as high as its share of the largest. A space stands for zero. */
export function sparkline(numbers: readonly number[]): string {
  const largest = Math.max(...numbers, 0);
  return numbers.map((number) => barOf(number, largest)).join('');
}

function barOf(number: number, largest: number): string {
  if (number <= 0) return ' ';
  return bars[Math.ceil((number / largest) * bars.length) - 1] ?? ' ';
}
