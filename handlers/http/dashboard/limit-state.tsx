import type { Limit } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { Moment } from './parts/moment.js';
import { TokenField } from './token-field.js';

/** Whether jobs of a limit may start. */
export function LimitState({ limit: { paused, slowedUntil }, now }: { limit: Limit; now: Date }) {
  if (paused)
    return (
      <>
        <span class="status paused">paused</span> <Moment at={paused} now={now} />
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

/** Returns the number of places of a limit as text, such as `5, set by a person`. */
export function placesText({ max, limit }: Limit): string {
  if (max !== null)
    return limit === null || limit === max ? `${max}, set` : `${max}, set; ${limit} by the code`;
  return limit === null ? '–' : `${limit}`;
}

/** Pauses or resumes a limit. */
export function PauseButton({
  limit,
  session,
  from,
}: {
  limit: Limit;
  session: Session;
  from: 'list' | 'page';
}) {
  const { key, paused } = limit;
  return (
    <form method="post" action="/dashboard/limits">
      <TokenField session={session} />
      <input type="hidden" name="key" value={key} />
      <input type="hidden" name="from" value={from} />
      <button
        type="submit"
        name="action"
        value={paused ? 'resume' : 'pause'}
        class="small"
        aria-label={`${paused ? 'Resume' : 'Pause'} limit ${key}`}
      >
        {paused ? 'Resume' : 'Pause'}
      </button>
    </form>
  );
}

/** Whether a limit can be set and paused. A rate limit cannot. */
export function isSettable({ key }: Limit): boolean {
  return !key.startsWith('rate ');
}
