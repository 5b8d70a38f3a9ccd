import * as z from 'zod';
import type { Mark } from '../../../src/index.js';
import { momentSchema } from '../../../src/job/job-options.js';
import { markText } from '../../../src/mark/marks.js';
import { documented } from '../documented.js';
import { moment, nextCursor, page } from '../fields.js';
import { defineRoute } from '../route.js';

const markView = z.object({ id: z.string(), at: moment, text: z.string(), by: z.string().nullable() });
const example = {
  id: '65b9f0c2a1d4e8f7b6c5d4e3',
  at: '2026-01-31T09:05:06.123Z',
  text: 'v42',
  by: 'deployments',
};

function toView(mark: Mark): z.input<typeof markView> {
  const { by = null } = mark;
  return { ...mark, by };
}

const addMark = defineRoute({
  method: 'POST',
  path: '/v1/marks',
  operation: 'addMark',
  role: 'write',
  summary: 'Mark a moment, such as a deployment',
  description: 'The dashboard draws marks into its charts. They are kept for 90 days. `by` is the caller.',
  asks: () =>
    z.object({
      body: z.strictObject({
        text: markText.clone().register(documented, { description: 'Such as `v42`.' }),
        at: momentSchema.optional(),
      }),
    }),
  bodyExample: { text: 'v42' },
  reply: { status: 201, description: 'The mark.', schema: () => markView, example },
  told: ['text'],
  async answer({ body }, { processor, callerId }) {
    return { body: toView(await processor.marks.add({ ...body, by: callerId })) };
  },
});

const listMarks = defineRoute({
  method: 'GET',
  path: '/v1/marks',
  operation: 'listMarks',
  isList: true,
  role: 'read',
  summary: 'List the marks of moments',
  asks: () => z.object({ query: z.strictObject(page) }),
  reply: {
    status: 200,
    description: 'A page of marks, the latest first. `cursor` is null at the end.',
    schema: () => z.object({ marks: z.array(markView), cursor: nextCursor }),
    example: { marks: [example], cursor: null },
  },
  async answer({ query }, { processor, maxBytes }) {
    const { marks, cursor = null } = await processor.marks.list({ ...query, maxBytes });
    return { body: { marks: marks.map(toView), cursor } };
  },
});

export const markRoutes = [addMark, listMarks];
