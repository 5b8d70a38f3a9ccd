import { setTimeout as sleep } from 'node:timers/promises';
import { RemoteException, RetryAfter, Snooze } from '../../../src/errors.js';
import type { SubprocessContext } from '../../../src/job/job-context.js';
import type { ThreadFate } from '../plan-jobs.js';
import { block } from './block.js';

/** The input of the thread. */
export interface ThreadInput {
  readonly fate: ThreadFate;
  readonly ms: number;
  readonly attempt: number;
  readonly wasGivenBack: boolean;
}

type Context = SubprocessContext<ThreadInput>;

/** Does what its job's fate says, in its own thread. */
export default async function doInThread(context: Context): Promise<void> {
  await doAsFated[context.input.fate](context);
}

const doAsFated: Record<ThreadFate, (context: Context) => unknown> = {
  return() {},
  sleep: ({ input, signal }) => sleep(input.ms, undefined, { signal }),
  async progress({ progress, input }) {
    void progress({ at: 'the beginning' });
    await sleep(input.ms);
    await progress({ at: 'the end' });
  },
  throw() {
    throw new Error('It throws each time.');
  },
  'throw once'({ input }) {
    if (input.attempt === 1) throw new Error('It throws the first time.');
  },
  'remote exception'() {
    throw new RemoteException('It is hopeless.');
  },
  'retry after'({ input }) {
    if (input.attempt === 1) throw new RetryAfter(150);
  },
  'snooze once'({ input }) {
    if (!input.wasGivenBack) throw new Snooze(200);
  },
  hang: ({ signal }) => sleep(3_600_000, undefined, { signal }),
  'hang deaf': () => block(),
  block: ({ input }) => block(input.ms),
  'block for long': ({ input }) => block(input.ms),
  exit: () => process.exit(3),
};
