import { chaosJob } from './chaos-job.js';
import { type Part, stopped, untilItSucceeds } from './part.js';

/** Short, so that jobs are in hand at the deadline. */
const INVOCATION_MS = 3000;
const MARGIN_MS = 600;

/** Works as a local loop, or, every other time that it is started, in invocations as on Lambda. */
export async function work(part: Part): Promise<void> {
  const { processor, ledger, stop, setting } = part;
  await untilItSucceeds(() => processor.addJobFactory(chaosJob(ledger)), stop);
  await (setting.start % 2 === 0 ? loop(part) : invocations(part));
}

async function loop({ processor, stop }: Part): Promise<void> {
  processor.startProcessor();
  await stopped(stop);
  await processor.stopProcessor();
}

/** Ends, as such a container does, after an invocation that left a job behind which goes on. */
async function invocations({ processor, stop }: Part): Promise<void> {
  while (!stop.aborted) {
    const deadline = new Date(Date.now() + INVOCATION_MS);
    const options = { deadline, margin: MARGIN_MS, pollInterval: 50, signal: stop, stopWhenAbandoned: true };
    const summary = await untilItSucceeds(() => processor.drain(options), stop);
    if (summary === undefined || summary.abandoned > 0) return;
    if (summary.claimed === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
