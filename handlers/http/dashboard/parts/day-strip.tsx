import type { Upcoming } from '../../../../src/index.js';

const HOUR_MS = 3_600_000;
const HOURS = 24;

/** Maximum number of names that are told of an hour. */
const MAX_NAMES = 5;

/** Shows the next 24 hours in UTC as cells. Each cell shows how many jobs the schedules make in that hour. */
export function DayStrip({ upcoming, now }: { upcoming: readonly Upcoming[]; now: Date }) {
  const first = Math.floor(now.getTime() / HOUR_MS);
  const hours = Array.from({ length: HOURS }, (_, index) => first + index);
  return (
    <>
      <p class="quiet" id="strip-title">
        Jobs of schedules in the next 24 hours, by hour in UTC
      </p>
      <ol class="strip" aria-labelledby="strip-title">
        {hours.map((hour) => {
          const due = upcoming.map(({ id, title, at }) => ({
            name: title || id,
            count: at.filter((moment) => Math.floor(moment.getTime() / HOUR_MS) === hour).length,
          }));
          const names = due.filter(({ count }) => count > 0);
          const total = names.reduce((sum, { count }) => sum + count, 0);
          return (
            <li class={total === 0 ? undefined : 'busy'} title={titleOf(names)}>
              <span class="quiet">{String(hour % HOURS).padStart(2, '0')}</span> {total === 0 ? '·' : total}
            </li>
          );
        })}
      </ol>
    </>
  );
}

function titleOf(names: readonly { readonly name: string; readonly count: number }[]): string | undefined {
  if (names.length === 0) return undefined;
  const told = names.slice(0, MAX_NAMES).map(({ name, count }) => (count === 1 ? name : `${name} ×${count}`));
  const rest = names.length - told.length;
  return `${told.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
