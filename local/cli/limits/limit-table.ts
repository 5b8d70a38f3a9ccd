import * as z from 'zod';
import { fields } from '../output/fields.js';
import { fromNow } from '../output/moment.js';
import type { Paint } from '../output/paint.js';
import type { Column } from '../output/table.js';
import { countShape, countText } from '../state/counts.js';

const limitShape = z.looseObject({
  key: z.string(),
  waiting: countShape,
  oldest: z.string().nullable(),
  taken: z.number(),
  limit: z.number().nullable(),
  max: z.number().nullable(),
  paused: z.string().nullable(),
  slowedUntil: z.string().nullable(),
  /** Missing in answers of earlier versions. */
  stoppedBy: z.string().nullable().default(null),
  /** Missing in answers of earlier versions. */
  breaker: z
    .looseObject({ state: z.string(), failures: z.number(), openUntil: z.string().nullable() })
    .nullable()
    .default(null),
});

export type ShownLimit = z.output<typeof limitShape>;

export const limitsShape = z.looseObject({ limits: z.array(limitShape), cursor: z.string().nullable() });

export const limitDetailsShape = limitShape.extend({
  holders: z.array(
    z.looseObject({ id: z.string(), jobName: z.string(), queue: z.string(), status: z.string() }),
  ),
});

/** The columns of a list of limits. */
export const limitColumns: readonly Column<ShownLimit>[] = [
  { title: 'LIMIT', value: ({ key }) => key, mayShrink: true },
  { title: 'WAITING', value: ({ waiting }) => countText(waiting), align: 'right' },
  { title: 'OLDEST', value: ({ oldest }) => fromNow(oldest), align: 'right', leaveOut: 1 },
  { title: 'TAKEN', value: ({ taken }) => String(taken), align: 'right' },
  { title: 'OF', value: placesText, align: 'right' },
  { title: 'STATE', value: stateText, style: () => 'yellow' },
];

/** Returns the number of places that counts. 0 if it is unknown. */
export function placesOf({ limit, max }: ShownLimit): number {
  return max ?? limit ?? 0;
}

/** Returns the number of places, and whether a person set it. */
function placesText({ limit, max }: ShownLimit): string {
  if (max !== null) return `${max} (set)`;
  return limit === null ? '' : String(limit);
}

function stateText({ paused, slowedUntil, stoppedBy, breaker }: ShownLimit): string {
  if (breaker) return breakerText(breaker);
  if (paused !== null) return `paused ${fromNow(paused)}`;
  if (stoppedBy !== null) return `stopped by ${stoppedBy}`;
  return slowedUntil === null ? '' : `slowed until ${fromNow(slowedUntil)}`;
}

function breakerText({ state, failures, openUntil }: NonNullable<ShownLimit['breaker']>): string {
  if (state === 'closed') return `closed, ${failures} failed lately`;
  return openUntil === null ? 'half open' : `open, one is tried ${fromNow(openUntil)}`;
}

/** Returns everything about one limit, as text for a person. */
export function limitDetails(limit: z.output<typeof limitDetailsShape>, paint: Paint): string {
  const { key, waiting, oldest, taken, holders } = limit;
  return fields(
    [
      ['limit', key],
      ['waiting', `${countText(waiting)}${oldest === null ? '' : `, the oldest since ${oldest}`}`],
      ['taken', String(taken)],
      ['places', placesText(limit)],
      ['state', stateText(limit), 'yellow'],
      ['held by', holders.map(({ id, jobName, status }) => `${id} (${jobName}, ${status})`).join('\n')],
    ],
    paint,
  );
}
