import { randomUUID } from 'node:crypto';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { jobShape, jobStateShape } from '../jobs/job-shape.js';
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
    .argument('[input]', 'JSON; @file for that of a file, - for that of standard input')
    .option('--id <id>', 'an id of your own: adding it again changes nothing')
    .option('--queue <name>')
    .option('--priority <number>', '0 to 9, higher first', parseWholeNumber)
    .option('--delay <duration>', 'run it so much later, such as 5m', parseDurationText)
    .option('--run-at <moment>', 'run it then, such as 2026-01-31T09:00:00Z')
    .option('--max-retries <number>', 'attempts in all', parseWholeNumber)
    .option('--retry-delay <duration>', 'between attempts', parseDurationText)
    .option('--unique-key <key>', 'while an unsettled job has it, that job is meant')
    .option('--wait', 'wait for its result, show it, and exit with 6 unless it is completed')
    .option('--timeout <duration>', 'how long to wait at most', parseDuration)
    .addHelpText(
      'after',
      examples(
        `add echo '{ "hello": "me" }' --priority 5`,
        'add webhook @order.json --delay 10m --max-retries 8',
        `echo '{}' | remote-processor add echo - --wait --timeout 1m`,
      ),
    )
    .action(async (name, input, { wait, timeout, ...options }) => {
      const body = {
        name,
        ...(input !== undefined && { input: await readJson(input, 'The input', { stdin }) }),
        ...(Object.keys(options).length > 0 && { options }),
      };
      const headers = { 'idempotency-key': randomUUID() };
      const state = await api.post('/v1/jobs', { body, headers });
      const { id } = read(state, jobStateShape);
      if (!wait && timeout === undefined) return output.result(state, jobStateShape, () => id);
      output.note(`Job ${id}: waiting`);
      const { job, answer } = await waitForAdded(api, id, timeout);
      if (output.isJson) output.json(answer);
      else if (job.status === 'completed') output.print(visibleLines(pretty(job.output)));
      requireCompleted(read(answer, jobShape));
    });
};
