import * as z from 'zod';
import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';
import { queuesShape } from '../state/counts.js';
import { queueColumns } from '../state/queue-table.js';

const queueStateShape = z.looseObject({ name: z.string(), paused: z.string().nullable() });

/** `queues` shows what waits in each queue, and pauses and resumes queues. */
export const queuesCommand: AddCommand = (parent, { api, output }) => {
  const group = parent
    .command('queues')
    .description('List queues, pause and resume them.')
    .addHelpText('after', examples('queues list', 'queues pause mail'));
  group
    .command('list')
    .description('List the queues that have queued jobs, or are paused.')
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText('after', examples('queues list', 'queues list --all --json | wc -l'))
    .action((options) =>
      showPages(
        { api, output },
        {
          path: '/v1/queues',
          shape: queuesShape,
          rows: ({ queues }) => queues,
          columns: queueColumns,
          none: 'No job is queued, and no queue is paused.',
        },
        options,
      ),
    );
  for (const [name, description] of [
    ['pause', 'Pause a queue: running jobs go on, and waiting jobs stay.'],
    ['resume', 'Let workers take the jobs of a queue again.'],
  ] as const)
    group
      .command(name)
      .description(description)
      .argument('<queue>', 'its name')
      .addHelpText('after', examples(`queues ${name} mail`))
      .action(async (queue) => {
        const answer = await api.post(`${path`/v1/queues/${queue}`}/${name}`);
        output.result(answer, queueStateShape, ({ paused }) =>
          paused === null ? `${queue} is not paused` : `${queue} is paused since ${paused}`,
        );
      });
};
