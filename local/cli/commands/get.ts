import * as z from 'zod';
import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { jobDetails } from '../jobs/job-details.js';
import { logLine, logShape } from '../jobs/job-log.js';
import { jobShape } from '../jobs/job-shape.js';
import { requireCompleted, waitForJob } from '../jobs/wait-for-job.js';
import { read } from '../output/output.js';
import { parseDuration } from '../parse-duration.js';

/** `get` shows everything about one job. */
export const getCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('get')
    .description('Show a job: its status, input, output, errors and progress.')
    .argument('<id>', 'of the job')
    .option('--log', 'also show the lines that it logged')
    .option('--wait', 'wait until it is settled, and exit with 6 unless it is completed')
    .option('--timeout <duration>', 'maximum time to wait', parseDuration)
    .addHelpText('after', examples('get 697dc4a2f1e2d3c4b5a69788 --log', 'get my-report --wait --timeout 5m'))
    .action(async (id, { log, wait, timeout }) => {
      const waits = wait || timeout !== undefined;
      const answer = waits
        ? (await waitForJob(api, id, timeout)).answer
        : await api.get(path`/v1/jobs/${id}`);
      const job = read(answer, jobShape);
      const lines = log ? read(await api.get(path`/v1/jobs/${id}/log`), logShape) : undefined;
      if (output.isJson) output.json({ ...read(answer, z.looseObject({})), ...(lines && { log: lines }) });
      else {
        output.print(jobDetails(job, output.paint));
        if (lines?.lines.length === 0) output.note('It has logged nothing');
        else if (lines)
          output.print(['', ...lines.lines.map((line) => logLine(line, output.paint))].join('\n'));
        if (lines && lines.dropped > 0) output.note(`${lines.dropped} older lines were dropped`);
      }
      if (waits) requireCompleted(job);
    });
};
