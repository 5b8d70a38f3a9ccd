import * as z from 'zod';
import { between, fromNow } from '../output/moment.js';
import type { Style } from '../output/paint.js';
import type { Column } from '../output/table.js';
import { waitShape } from './job-shape.js';

const stepShape = z.object({
  name: z.string(),
  kind: z.string(),
  state: z.string(),
  began: z.string(),
  stored: z.string(),
  tries: z.number(),
  calls: z.number().nullable(),
  result: z.unknown(),
  cursor: z.unknown(),
  failure: z.object({ message: z.string() }).nullable(),
});

type ShownStep = z.output<typeof stepShape>;

/** The steps of a job, as commands read them from an answer of the API. */
export const stepsShape = z.looseObject({
  run: z.number(),
  version: z.number().nullable(),
  steps: z.array(stepShape),
  dropped: z.number(),
  waits: z.array(waitShape),
  signals: z.array(z.object({ name: z.string(), at: z.string(), payload: z.unknown() })),
  leftOut: z.array(z.string()),
});

export const stepColumns: readonly Column<ShownStep>[] = [
  { title: 'STEP', value: ({ name }) => name, mayShrink: true },
  { title: 'KIND', value: ({ kind }) => kind, leaveOut: 1 },
  { title: 'STATE', value: ({ state }) => state, style: ({ state }) => styleOf(state) },
  { title: 'FAILED TRIES', value: ({ tries }) => `${tries}`, align: 'right', leaveOut: 3 },
  { title: 'BEGAN', value: ({ began }) => fromNow(began), align: 'right', leaveOut: 2 },
  { title: 'TOOK', value: ({ began, stored }) => between(began, stored), align: 'right' },
  { title: '', value: remark, mayShrink: 12, style: () => 'dim' },
];

function styleOf(state: string): Style | undefined {
  if (state === 'completed') return 'green';
  return state === 'failed' ? 'red' : 'yellow';
}

/** Returns a remark on a step: its failure, its cursor or its result. */
function remark({ failure, state, calls, cursor, result }: ShownStep): string {
  if (failure) return failure.message.split('\n')[0] ?? '';
  if (state === 'iterating') return `${calls ?? 0} calls, at ${JSON.stringify(cursor)}`;
  return result === null ? '' : JSON.stringify(result);
}
