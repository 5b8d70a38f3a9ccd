import * as z from 'zod';

/** A count, and whether counting stopped at a limit. */
export const countShape = z.object({ count: z.number(), isCapped: z.boolean() });

export type Count = z.output<typeof countShape>;

/** The number of jobs of each status. */
export const countsShape = z.looseObject({ counts: z.record(z.string(), countShape) });

export type Counts = z.output<typeof countsShape>['counts'];

const queueShape = z.looseObject({
  name: z.string(),
  ready: countShape,
  delayed: countShape,
  oldest: z.string().nullable(),
  paused: z.string().nullable(),
});

export type ShownQueue = z.output<typeof queueShape>;

export const queuesShape = z.looseObject({ queues: z.array(queueShape), cursor: z.string().nullable() });

/** Returns a count as text, such as `10,000+` if counting stopped there. */
export function countText({ count, isCapped }: Count): string {
  return `${count.toLocaleString('en-US')}${isCapped ? '+' : ''}`;
}
