import { chaosJobs } from './chaos-job.js';
import { type Part, stopped, untilItSucceeds } from './part.js';

/** Short, so that the worker still holds jobs at the deadline. */
const INVOCATION_MS = 3000;
const invocation = { margin: 600, linger: 300, pollInterval: 50, stopWhenAbandoned: true };

/** Works as a local loop, or at every other start in invocations as on Lambda. */
export async function work(part: Part): Promise<void> {
  const { processor, ledger, stop, setting } = part;
  await untilItSucceeds(() => processor.addJobFactories(chaosJobs(ledger)), stop);
  await (setting.start % 2 === 0 ? loop(part) : invocations(part));
}

async function loop({ processor, stop }: Part): Promise<void> {
  processor.startProcessor();
  await stopped(stop);
  await processor.stopProcessor();
}

/** Works in invocations. Ends, as a container does, after an invocation that left a running job behind. */
async function invocations({ processor, stop }: Part): Promise<void> {
  while (!stop.aborted) {
    const deadline = new Date(Date.now() + INVOCATION_MS);
    const options = { ...invocation, deadline, signal: stop };
    const summary = await untilItSucceeds(() => processor.drain(options), stop);
    if (summary === undefined || summary.abandoned > 0) return;
    if (summary.claimed === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
