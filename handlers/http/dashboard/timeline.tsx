import type { Child } from 'hono/jsx';
import type { Job } from '../../../src/index.js';
import { duration, ExactMoment } from './parts/moment.js';

interface Happening {
  readonly at: Date;
  readonly kind: 'plain' | 'completed' | 'error' | 'cancelled';
  readonly text: Child;
}

/** What happened to a job, the oldest first, with the time between. */
export function Timeline({ job }: { job: Job }) {
  const happenings = happeningsOf(job);
  return (
    <ol class="timeline">
      {happenings.map(({ at, kind, text }, index) => {
        const before = happenings[index - 1];
        return (
          <li class={kind}>
            <div>{text}</div>
            <div class="quiet">
              <ExactMoment at={at} />
              {before && at > before.at && `, ${duration(at.getTime() - before.at.getTime())} later`}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function happeningsOf(job: Job): Happening[] {
  const { created, queued, picked, started, cancelRequested, completed, errors, status } = job;
  const plain = (at: Date | undefined, text: Child): Happening[] => (at ? [{ at, kind: 'plain', text }] : []);
  const all: Happening[] = [
    ...plain(created, 'Added'),
    ...errors.map(
      ({ at, attempt, message }): Happening => ({
        at,
        kind: 'error',
        text: `Attempt ${attempt}: ${shortened(message)}`,
      }),
    ),
    ...plain(queued > created ? queued : undefined, 'Queued again'),
    ...plain(picked, 'Picked by a worker'),
    ...plain(started, `Attempt ${Math.max(1, job.retryCounter)} began`),
    ...plain(cancelRequested, 'Cancelling was asked for'),
  ];
  // A stable sort: what has the same moment stays in the order above.
  all.sort((one, other) => one.at.getTime() - other.at.getTime());
  const isEnd = status === 'completed' || status === 'error' || status === 'cancelled';
  return completed && isEnd ? [...all, { at: completed, kind: status, text: `Ended: ${status}` }] : all;
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
