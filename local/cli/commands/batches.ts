import * as z from 'zod';
import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { addGroupCommands } from '../groups/add-group-commands.js';
import { batchShape, resultsShape } from '../groups/group-shape.js';
import { groupFields } from '../groups/group-text.js';
import { fields } from '../output/fields.js';
import { read } from '../output/output.js';
import { visible } from '../output/visible.js';

/** Maximum number of failed jobs shown per batch. */
const SHOWN = 10;

const pageShape = z.looseObject({ batches: z.array(batchShape), cursor: z.string().nullable() });

/** `batches` shows how far batches have come, and cancels, retries and removes them. */
export const batchesCommand: AddCommand = (parent, context) => {
  const { api, output } = context;
  addGroupCommands(parent, context, {
    one: 'batch',
    many: 'batches',
    shape: pageShape,
    rows: ({ batches }) => batches,
    async show(id, answer) {
      const batch = read(answer, batchShape);
      output.print(fields([...groupFields('batch', batch), ['then', batch.then?.id ?? '']], output.paint));
      if (batch.failed === 0) return;
      const query = { status: 'error', limit: SHOWN };
      const { results } = read(await api.get(path`/v1/batches/${id}/results`, query), resultsShape);
      for (const { id: job, error } of results)
        output.print(`${output.paint('red', visible(job))}  ${visible(error?.split('\n')[0] ?? '')}`);
      if (batch.failed > results.length)
        output.note(`${batch.failed - results.length} more failed or were cancelled`);
    },
  });
};
