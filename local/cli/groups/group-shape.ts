import * as z from 'zod';

const moment = z.string().nullable();

const progressShape = z.looseObject({
  id: z.string(),
  status: z.string(),
  size: z.number(),
  completed: z.number(),
  failed: z.number(),
  open: z.number(),
  created: z.string(),
  closed: moment,
  expires: moment,
});

/** How far a batch or a workflow has come, as commands read it from an answer of the API. */
export type ShownGroup = z.output<typeof progressShape>;

export const batchShape = progressShape.extend({ then: z.looseObject({ id: z.string() }).nullable() });

export type ShownBatch = z.output<typeof batchShape>;

export const workflowShape = progressShape.extend({
  jobs: z.array(
    z.looseObject({
      name: z.string(),
      jobName: z.string(),
      after: z.array(z.string()),
      status: z.string().nullable(),
      isWaiting: z.boolean(),
      started: moment,
      completed: moment,
      error: z.string().nullable(),
    }),
  ),
});

export type ShownWorkflow = z.output<typeof workflowShape>;

export const resultsShape = z.looseObject({
  results: z.array(z.looseObject({ id: z.string(), status: z.string(), error: z.string().nullable() })),
  cursor: z.string().nullable(),
});

/** Result of cancelling or retrying a group. */
export const changeShape = z.looseObject({ id: z.string(), changed: z.number() });
