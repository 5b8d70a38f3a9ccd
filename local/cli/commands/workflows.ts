import * as z from 'zod';
import type { AddCommand } from '../context.js';
import { addGroupCommands } from '../groups/add-group-commands.js';
import { workflowShape } from '../groups/group-shape.js';
import { groupFields } from '../groups/group-text.js';
import { workflowTree } from '../groups/workflow-tree.js';
import { fields } from '../output/fields.js';
import { read } from '../output/output.js';

const pageShape = z.looseObject({ workflows: z.array(workflowShape), cursor: z.string().nullable() });

/** `workflows` shows how far workflows have come, and cancels, retries and removes them. */
export const workflowsCommand: AddCommand = (parent, context) => {
  const { output } = context;
  addGroupCommands(parent, context, {
    one: 'workflow',
    many: 'workflows',
    shape: pageShape,
    rows: ({ workflows }) => workflows,
    show(_, answer) {
      const workflow = read(answer, workflowShape);
      output.print(fields(groupFields('workflow', workflow), output.paint));
      output.print(`\n${workflowTree(workflow.jobs, output.paint)}`);
    },
  });
};
