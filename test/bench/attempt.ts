import type { Bench } from './bench.js';
import type { MeasuredName } from './contenders/contender.js';
import { titleOf } from './contenders/index.js';

/** Measures one contender. If that fails, the table gives the reason instead of a figure, and the benchmark goes on. */
export async function attempt(
  { results, say }: Bench,
  contender: MeasuredName,
  what: string,
  measure: () => Promise<void>,
): Promise<void> {
  const title = titleOf(contender);
  say(`${what}: ${title}`);
  try {
    await measure();
  } catch (error) {
    const message = `${title}, ${what}: ${error instanceof Error ? error.message : String(error)}`;
    results.failures.push({ contender, message });
    say(message);
  }
}
