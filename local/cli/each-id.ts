import { exitCode } from './exit-code.js';
import { CommandFailure } from './failure.js';
import type { Output } from './output/output.js';
import { statusStyle } from './output/paint.js';
import { table } from './output/table.js';
import { toFailure } from './to-failure.js';

/** The outcome for one of several jobs. */
interface Outcome {
  readonly id: string;
  readonly status: string;
  readonly failure?: CommandFailure;
}

/**
 * Acts on several jobs, one after the other, and shows the outcome of each. A failure does not stop the others.
 *
 * @param act acts on one job, and returns the job's new status
 * @throws CommandFailure at the end, with the exit code of the first failure. Throws at once if every job would fail
 */
export async function eachId(
  ids: readonly string[],
  output: Output,
  act: (id: string) => Promise<string>,
): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const id of ids) outcomes.push(await outcomeOf(id, act));
  if (output.isJson) output.json({ jobs: outcomes.map(toJson) });
  else {
    const done = outcomes.filter(({ failure }) => failure === undefined);
    if (done.length > 0) output.print(table(columns, done, output));
  }
  const failures = outcomes.flatMap(({ failure }) => failure ?? []);
  const [first] = failures;
  if (first === undefined) return;
  if (failures.length === 1) throw first;
  for (const failure of output.isJson ? [] : failures) output.failure(failure);
  const summary = `${failures.length} of ${ids.length} failed`;
  throw new CommandFailure(first.exitCode, summary, { code: first.code });
}

async function outcomeOf(id: string, act: (id: string) => Promise<string>): Promise<Outcome> {
  try {
    return { id, status: await act(id) };
  } catch (error) {
    const failure = await toFailure(error);
    if (failure.exitCode === exitCode.refused || failure.exitCode === exitCode.unreachable) throw failure;
    return { id, status: 'failed', failure };
  }
}

function toJson({ id, status, failure }: Outcome) {
  return failure ? { id, error: { code: failure.code, message: failure.message } } : { id, status };
}

const columns = [
  { title: 'ID', value: ({ id }: Outcome) => id },
  {
    title: 'STATUS',
    value: ({ status }: Outcome) => status,
    style: ({ status }: Outcome) => statusStyle(status),
  },
];
