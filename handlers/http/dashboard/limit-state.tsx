import type { BreakerState, Limit } from '../../../src/index.js';
import { isOrder, limitKeySchema } from '../../../src/job/flow-rules.js';
import type { Session } from '../session/session.js';
import { Moment } from './parts/moment.js';
import { jobPath } from './paths.js';
import { TokenField } from './token-field.js';

/** Shows whether jobs of a limit may start. */
export function LimitState({ limit, now }: { limit: Limit; now: Date }) {
  const { paused, slowedUntil, stoppedBy, breaker } = limit;
  if (breaker) return <Breaker breaker={breaker} now={now} />;
  if (paused)
    return (
      <>
        <span class="status paused">paused</span> <Moment at={paused} now={now} />
      </>
    );
  if (stoppedBy)
    return (
      <>
        <span class="status error">stopped</span> by <a href={jobPath(stoppedBy)}>{stoppedBy}</a>
      </>
    );
  if (slowedUntil)
    return (
      <>
        <span class="status paused">slowed down</span> next start <Moment at={slowedUntil} now={now} />
      </>
    );
  return <span class="status completed">open</span>;
}

function Breaker({ breaker, now }: { breaker: BreakerState; now: Date }) {
  const { state, failures, openUntil } = breaker;
  if (state === 'closed')
    return (
      <>
        <span class="status completed">closed</span> {failures} failed lately
      </>
    );
  return (
    <>
      <span class="status paused">no job starts</span>{' '}
      {openUntil ? (
        <>
          one is tried <Moment at={openUntil} now={now} />
        </>
      ) : (
        'the next is tried'
      )}
    </>
  );
}

/** Returns the number of places of a limit as text, such as `5, set by a person`. */
export function placesText({ max, limit }: Limit): string {
  if (max !== null)
    return limit === null || limit === max ? `${max}, set` : `${max}, set; ${limit} by the code`;
  return limit === null ? '–' : `${limit}`;
}

/** A button that pauses or resumes a limit, or closes a circuit breaker. */
export function PauseButton({
  limit,
  session,
  from,
}: {
  limit: Limit;
  session: Session;
  from: 'list' | 'page';
}) {
  const { key, paused, breaker } = limit;
  const verb = breaker ? 'Close' : paused ? 'Resume' : 'Pause';
  return (
    <form method="post" action="/dashboard/limits">
      <TokenField session={session} />
      <input type="hidden" name="key" value={key} />
      <input type="hidden" name="from" value={from} />
      <button
        type="submit"
        name="action"
        value={paused || breaker ? 'resume' : 'pause'}
        class="small"
        aria-label={`${verb} limit ${key}`}
      >
        {verb}
      </button>
    </form>
  );
}

/** Returns whether the number of places of a limit can be set. */
export function isSettable(limit: Limit): boolean {
  return isPausable(limit) && !isOrder(limit.key);
}

/** Returns whether a limit can be paused, resumed or closed. */
export function hasButton(limit: Limit): boolean {
  return isPausable(limit) || (limit.breaker !== null && limit.breaker.state !== 'closed');
}

function isPausable({ key }: Limit): boolean {
  return limitKeySchema.safeParse(key).success;
}
