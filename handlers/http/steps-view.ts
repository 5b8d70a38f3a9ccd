import * as z from 'zod';
import type { JobSteps, StepEntry, StepWait } from '../../src/index.js';
import { briefly, type FoundSteps } from '../../src/job/find-steps.js';
import { groupsAwaited } from '../../src/job/group.js';
import { bytesAsSent, fittingInto } from '../../src/mongo/read-page.js';
import { documented } from './documented.js';
import { json, moment } from './fields.js';
import { groupName, toGroupName } from './group-name.js';

export const waitView = z
  .object({
    name: z.string(),
    kind: z.enum(['sleep', 'signal', 'retry', 'children']),
    signal: z.string().nullable(),
    began: moment,
    until: moment.nullable().register(documented, {
      description: 'When the job goes on in any case. Null if it waits for as long as it takes.',
    }),
    group: groupName
      .nullable()
      .register(documented, { description: 'The children that it waits for. Null for other kinds.' }),
  })
  .register(documented, { id: 'StepWait', description: 'What a job waits for. It goes on at the first.' });

const stepView = z
  .object({
    name: z.string(),
    kind: z.enum(['run', 'transaction', 'iterate', 'sleep', 'signal', 'fanOut', 'compensation']),
    state: z.enum(['begun', 'retrying', 'iterating', 'waiting', 'completed', 'timedOut', 'failed']),
    began: moment,
    stored: moment,
    tries: z.int().register(documented, { description: 'Failed tries.' }),
    calls: z.int().nullable(),
    result: json,
    cursor: json,
    failure: z.object({ message: z.string(), stack: z.string().nullable() }).nullable(),
  })
  .register(documented, { id: 'Step', description: 'A stored step of a job.' });

const valueNames = ['result', 'cursor', 'payload', 'stack'] as const;

/** The steps of a job as the API shows them. Every member is always present, and null without a value. */
export const stepsView = z
  .object({
    run: z.int(),
    version: z.int().nullable(),
    steps: z.array(stepView),
    dropped: z.int().register(documented, {
      description: 'How many of the oldest steps are missing, since all are too large.',
    }),
    waits: z.array(waitView),
    signals: z.array(z.object({ name: z.string(), at: moment, payload: json })),
    leftOut: z.array(z.enum(valueNames)).register(documented, {
      description:
        'Members that are null because the steps are larger than 5 MB, or 900 KB through a load balancer.',
    }),
  })
  .register(documented, { id: 'JobSteps', description: 'The steps of a job.' });

export const exampleSteps = {
  run: 1,
  version: 1,
  steps: [
    {
      name: 'charge',
      kind: 'run',
      state: 'completed',
      began: '2026-01-31T09:05:06.210Z',
      stored: '2026-01-31T09:05:06.410Z',
      tries: 0,
      calls: null,
      result: { id: 'ch_1' },
      cursor: null,
      failure: null,
    },
  ],
  dropped: 0,
  waits: [
    {
      name: 'paid',
      kind: 'signal',
      signal: 'paid',
      began: '2026-01-31T09:05:06.410Z',
      until: null,
      group: null,
    },
  ],
  signals: [],
  leftOut: [],
};

export function toWaitView({ name, kind, signal, began, until, on }: StepWait): z.input<typeof waitView> {
  const [group] = groupsAwaited([{ on }]);
  const awaited = group === undefined ? null : toGroupName(group);
  return { name, kind, signal: signal ?? null, began, until: until ?? null, group: awaited };
}

/**
 * Returns the view of a job's steps. If it would be too large to send, the values are left out. If that is not enough,
 * the oldest steps are left out too.
 *
 * @param maxBytes maximum size of the view as sent
 */
export function toStepsView({ isBrief, ...found }: FoundSteps, maxBytes: number): z.input<typeof stepsView> {
  const view = { ...toView(found), leftOut: isBrief ? [...valueNames] : [] };
  if (bytesAsSent(view) <= maxBytes) return view;
  const brief = toView(briefly(found));
  const fits = fittingInto(maxBytes - bytesAsSent({ ...brief, steps: [] }));
  const all = brief.steps.toReversed();
  const tooMany = all.findIndex((step) => !fits(step));
  const steps = (tooMany < 0 ? all : all.slice(0, tooMany)).toReversed();
  return { ...brief, steps, dropped: all.length - steps.length, leftOut: [...valueNames] };
}

function toView({ run, version, steps, waits, signals }: JobSteps) {
  return {
    run,
    version: version ?? null,
    steps: steps.map(toStepView),
    dropped: 0,
    waits: waits.map(toWaitView),
    signals: signals.map(({ name, at, payload = null }) => ({ name, at, payload })),
  };
}

function toStepView({ failure, ...step }: StepEntry): z.input<typeof stepView> {
  const { name, kind, state, began, stored, tries = 0, calls, result = null, cursor = null } = step;
  const failed = failure ? { message: failure.message, stack: failure.stack ?? null } : null;
  return { name, kind, state, began, stored, tries, calls: calls ?? null, result, cursor, failure: failed };
}
