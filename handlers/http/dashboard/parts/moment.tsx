import { useContext } from 'hono/jsx';
import { TimesContext } from './times.js';

/** Moments further away than this are shown as dates, since nobody can picture `2522 days ago`. */
const FAR_MS = 30 * 86_400_000;

/**
 * Shows a moment in the form that the reader chose. By default, this is the distance from now, such as `3 min ago`, or
 * a date if that is more than 30 days away. A tooltip shows the exact moment in UTC.
 */
export function Moment({ at, now }: { at: Date; now: Date }) {
  if (useContext(TimesContext) !== 'relative') return <ExactMoment at={at} />;
  return (
    <time datetime={at.toISOString()} title={utc(at)}>
      {Math.abs(at.getTime() - now.getTime()) > FAR_MS
        ? at.toISOString().slice(0, 10)
        : relative(at.getTime() - now.getTime())}
    </time>
  );
}

/** Shows a moment to the second, in UTC, or in local time if the reader chose that. */
export function ExactMoment({ at }: { at: Date }) {
  const text = utc(at);
  if (useContext(TimesContext) !== 'local') return <time datetime={at.toISOString()}>{text}</time>;
  return (
    <time datetime={at.toISOString()} title={text} data-local>
      {text}
    </time>
  );
}

/**
 * Returns a duration in one unit, such as `12 ms` or `3 days`. The remainder is cut off. A unit is used only from two
 * of it on, so that the remainder matters little.
 */
export function duration(ms: number): string {
  const unit = units.find(({ from }) => ms >= from);
  if (!unit) return `${Math.round(ms)} ms`;
  const count = ms / unit.size;
  return `${unit.name === 's' && count < 10 ? count.toFixed(1) : Math.floor(count)} ${unit.name}`;
}

/** Returns a duration without cutting off anything, such as `90 s`, `36 h` or `1 day`. */
export function exactDuration(ms: number): string {
  const unit = units.find(({ size }) => ms >= size && ms % size === 0);
  if (!unit) return `${ms} ms`;
  const count = ms / unit.size;
  return `${count} ${count === 1 && unit.name === 'days' ? 'day' : unit.name}`;
}

const units = [
  { name: 'days', size: 86_400_000, from: 2 * 86_400_000 },
  { name: 'h', size: 3_600_000, from: 2 * 3_600_000 },
  { name: 'min', size: 60_000, from: 2 * 60_000 },
  { name: 's', size: 1000, from: 1000 },
];

function relative(ms: number): string {
  if (Math.abs(ms) < 1000) return 'now';
  const length = duration(Math.floor(Math.abs(ms) / 1000) * 1000).replace(/\.\d/, '');
  return ms < 0 ? `${length} ago` : `in ${length}`;
}

function utc(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
