import { setTimeout as wait } from 'node:timers/promises';
import { durationSchema } from '../duration.js';
import { ConflictError } from '../errors.js';
import { validateNow } from '../validate.js';
import type { StepContext } from './step-context.js';
import type { Iterated, Steps } from './steps.js';

const MAX_WAIT_MS = 2_000;

/** The part of a job's context that needs a queue, for a job that is called without one. */
export const withoutQueue = {
  get step() {
    return directSteps;
  },
  timeLeft: () => Number.POSITIVE_INFINITY,
  completeIn: () => refuse('completeIn'),
};

/** Steps that run without being stored. */
const directSteps: Steps = {
  run: (name: string, ...args: readonly unknown[]) => {
    const work = args.find((argument) => typeof argument === 'function');
    return work?.(contextOf(name));
  },
  transaction: (name: string) => refuse(`Transaction '${name}'`),
  async iterate<Cursor, Value>(
    name: string,
    { start }: { readonly start: Cursor },
    work: (cursor: Cursor, step: StepContext) => Promise<Iterated<Cursor, Value>> | Iterated<Cursor, Value>,
  ): Promise<Value> {
    for (let cursor = start; ; ) {
      const iterated = await work(cursor, contextOf(name));
      if ('done' in iterated) return iterated.done;
      cursor = iterated.next;
    }
  },
  sleep: (name, duration) => pause(name, validateNow(durationSchema, duration, `Duration of step '${name}'`)),
  sleepUntil: (name, moment) => pause(name, moment.getTime() - Date.now()),
  waitForSignal: (name: string) => refuse(`Signal '${name}'`),
  callback: (name: string) => refuse(`Callback '${name}'`),
  invoke: (name: string) => refuse(`Child '${name}'`),
  fanOut: (name: string) => refuse(`Fan-out '${name}'`),
  continueAs: () => refuse('continueAs'),
};

function contextOf(name: string): StepContext {
  return { idempotencyKey: `call ${name}`, attempt: 1, signal: new AbortController().signal };
}

async function pause(name: string, ms: number): Promise<void> {
  if (ms > MAX_WAIT_MS) await refuse(`Sleep '${name}'`);
  await wait(Math.max(0, ms));
}

async function refuse(subject: string): Promise<never> {
  throw new ConflictError(
    'call',
    `${subject} needs a queue, and the job was called without one: add it with addJob, or run it with the testing kit.`,
  );
}
