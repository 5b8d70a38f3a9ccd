import type { Child } from 'hono/jsx';
import type { Job } from '../../../src/index.js';
import { waitsOf } from '../../../src/job/find-steps.js';
import { duration, ExactMoment } from './parts/moment.js';

interface Happening {
  readonly at: Date;
  readonly kind: 'plain' | 'processing' | 'to-come' | 'completed' | 'error' | 'cancelled';
  readonly text: Child;
}

/** Shows the events of a job, oldest first, with the time between them. The next expected event is the last. */
export function Timeline({ job, now }: { job: Job; now: Date }) {
  const happenings = happeningsOf(job, now);
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

function happeningsOf(job: Job, now: Date): Happening[] {
  const { created, queued, picked, started, cancelRequested, completed, errors, status } = job;
  const plain = (at: Date | undefined, text: Child) => happening(at, 'plain', text);
  const beginning = status === 'processing' ? 'processing' : 'plain';
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
    ...happening(started, beginning, `Attempt ${Math.max(1, job.retryCounter)} began`),
    ...plain(cancelRequested, 'Cancelling was asked for'),
  ];
  // Sorting is stable, so events at the same moment keep the order above.
  all.sort((one, other) => one.at.getTime() - other.at.getTime());
  const waits = waitsOf(job, now.getTime());
  if (waits.length > 0) {
    const goesOn: Happening = { at: job.runAt, kind: 'to-come', text: 'Goes on' };
    return waits.some(({ until }) => until) ? [...all, goesOn] : all;
  }
  if (status === 'queued' && job.runAt > now) {
    return [...all, { at: job.runAt, kind: 'to-come', text: `Attempt ${job.retryCounter + 1} is due` }];
  }
  const isEnd = status === 'completed' || status === 'error' || status === 'cancelled';
  return completed && isEnd ? [...all, { at: completed, kind: status, text: `Ended: ${status}` }] : all;
}

function happening(at: Date | undefined, kind: Happening['kind'], text: Child): Happening[] {
  return at ? [{ at, kind, text }] : [];
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
