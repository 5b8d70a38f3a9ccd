import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { stepColumns, stepsShape } from '../jobs/steps-table.js';
import { waitLine } from '../jobs/wait-line.js';
import { read } from '../output/output.js';
import { table } from '../output/table.js';

/** `steps` shows how far the steps of a job have come. */
export const stepsCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('steps')
    .description('Show the stored steps of a job, what it waits for, and the signals that no step has taken.')
    .argument('<id>', 'of the job')
    .addHelpText('after', examples('steps 697dc4a2f1e2d3c4b5a69788'))
    .action(async (id) => {
      const answer = await api.get(path`/v1/jobs/${id}/steps`);
      if (output.isJson) return output.json(answer);
      const { run, version, steps, dropped, waits, signals, leftOut } = read(answer, stepsShape);
      output.note(`Run ${run}${version === null ? '' : `, version ${version}`}`);
      if (steps.length === 0) output.note('No step is stored');
      else output.print(table(stepColumns, steps, output));
      for (const wait of waits) output.print(`It ${waitLine(wait)}`);
      for (const { name, at } of signals) output.print(`The signal ${name} of ${at} waits for a step`);
      if (dropped > 0) output.note(`The oldest ${dropped} are left out`);
      if (leftOut.length > 0) output.note(`Left out, since all are too large: ${leftOut.join(', ')}`);
    });
};
