import { randomUUID } from 'node:crypto';
import { definedOf } from '../../../src/defined-of.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { addedJobShape, jobShape } from '../jobs/job-shape.js';
import { requireCompleted, waitForAdded } from '../jobs/wait-for-job.js';
import { pretty } from '../output/fields.js';
import { read } from '../output/output.js';
import { visibleLines } from '../output/visible.js';
import { parseDuration, parseDurationText } from '../parse-duration.js';
import { parseWholeNumber } from '../parse-whole-number.js';
import { readJson } from '../read-json.js';

/** `add` adds a job by its name. */
export const addCommand: AddCommand = (parent, { api, output, stdin }) => {
  parent
    .command('add')
    .description('Add a job, and show its id.')
    .argument('<name>', 'of the job')
    .argument('[input]', 'JSON text, @file to read a file, or - to read standard input')
    .option('--id <id>', 'your own id; adding the same job again changes nothing')
    .option('--queue <name>')
    .option('--priority <number>', '0 to 9, higher first', parseWholeNumber)
    .option('--delay <duration>', 'the time until it runs, such as 5m', parseDurationText)
    .option('--run-at <moment>', 'when it runs, such as 2026-01-31T09:00:00Z')
    .option('--max-retries <number>', 'number of attempts in all', parseWholeNumber)
    .option('--retry-delay <duration>', 'between attempts', parseDurationText)
    .option('--unique-key <key>', 'a key that at most one unsettled job of this name has')
    .option(
      '--unique-by <paths>',
      'make the key from these values of the input, such as shop,customer.id',
      paths,
    )
    .option(
      '--unique-mode <mode>',
      'what happens to a waiting job with the key: keep, replace, preserveRunAt',
    )
    .option('--unique-until <moment>', 'when the key is free again: settled, claimed')
    .option('--unique-period <duration>', 'keep the key taken for at least this time', parseDurationText)
    .option('--while-running <what>', 'what happens while a running job has the key: keep, queueOne')
    .option('--debounce <delay>', 'put off the waiting job with the key, such as 30s', parseDurationText)
    .option('--max-wait <duration>', 'the maximum time for which it is put off', parseDurationText)
    .option('--wait', 'wait for its result, show it, and exit with 6 unless it is completed')
    .option('--timeout <duration>', 'maximum time to wait', parseDuration)
    .addHelpText(
      'after',
      examples(
        `add echo '{ "hello": "me" }' --priority 5`,
        'add webhook @order.json --delay 10m --max-retries 8',
        `echo '{}' | remote-processor add echo - --wait --timeout 1m`,
      ),
    )
    .action(async (name, input, { wait, timeout, ...given }) => {
      const options = withKey(given);
      const body = {
        name,
        ...(input !== undefined && { input: await readJson(input, 'The input', { stdin }) }),
        ...(Object.keys(options).length > 0 && { options }),
      };
      const headers = { 'idempotency-key': randomUUID() };
      const state = await api.post('/v1/jobs', { body, headers });
      const { id, outcome, inputDiffers } = read(state, addedJobShape);
      if (outcome === 'replaced') output.note(`Job ${id} waits with the same unique key: it was replaced`);
      if (outcome === 'kept')
        output.note(`Job ${id} exists: it is kept${inputDiffers ? ', with another input' : ''}`);
      if (!wait && timeout === undefined) return output.result(state, addedJobShape, () => id);
      output.note(`Job ${id}: waiting`);
      const { job, answer } = await waitForAdded(api, id, timeout);
      if (output.isJson) output.json(answer);
      else if (job.status === 'completed') output.print(visibleLines(pretty(job.output)));
      requireCompleted(read(answer, jobShape));
    });
};

interface KeyOptions {
  readonly uniqueKey?: string;
  readonly uniqueBy?: readonly string[];
  readonly uniqueMode?: string;
  readonly uniqueUntil?: string;
  readonly uniquePeriod?: string;
  readonly whileRunning?: string;
  readonly debounce?: string;
  readonly maxWait?: string;
}

/** Returns the options of a command as options of the API. */
function withKey<Options extends KeyOptions>(options: Options) {
  const { uniqueKey, uniqueBy, uniqueMode, uniqueUntil, uniquePeriod, ...others } = options;
  const { whileRunning, debounce, maxWait, ...rest } = others;
  const key = definedOf({ key: uniqueKey, by: uniqueBy });
  const behaviour = definedOf({
    mode: uniqueMode,
    until: uniqueUntil,
    period: uniquePeriod,
    whileRunning,
  });
  const isPlain = uniqueBy === undefined && Object.keys(behaviour).length === 0;
  if (debounce === undefined && maxWait === undefined)
    return { ...rest, ...(isPlain ? definedOf({ uniqueKey }) : { unique: { ...key, ...behaviour } }) };
  const times = definedOf({ delay: debounce, maxWait });
  // The API refuses a behaviour beside it, and says why.
  const unique = Object.keys(behaviour).length > 0 && { unique: { ...key, ...behaviour } };
  return { ...rest, debounce: { ...key, ...times }, ...unique };
}

function paths(text: string): string[] {
  return text.split(',');
}
