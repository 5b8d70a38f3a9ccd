import * as z from 'zod';
import { progressText } from '../jobs/progress-text.js';
import type { Field } from '../output/fields.js';
import { fromNow } from '../output/moment.js';
import type { Column } from '../output/table.js';
import { countShape } from '../state/counts.js';

/** An operation on many jobs, as commands read it from an answer of the API. */
export const operationShape = z.looseObject({
  id: z.string(),
  action: z.string(),
  filter: z.record(z.string(), z.string().nullable()),
  // Servers of earlier versions do not tell it.
  endedAfter: z.string().nullable().default(null),
  by: z.string().nullable(),
  state: z.string(),
  done: z.number(),
  skipped: z.number(),
  undone: z.number(),
  total: countShape,
  started: z.string(),
  ended: z.string().nullable(),
});

export type ShownOperation = z.output<typeof operationShape>;

export const operationsShape = z.looseObject({
  operations: z.array(operationShape),
  cursor: z.string().nullable(),
});

/** The columns of a list of operations. */
export const operationColumns: readonly Column<ShownOperation>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'ACTION', value: ({ action }) => action },
  { title: 'JOBS', value: filterText, mayShrink: true },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'DONE', value: ({ done }) => String(done), align: 'right' },
  { title: 'STARTED', value: ({ started }) => fromNow(started), align: 'right', leaveOut: 1 },
  { title: 'BY', value: ({ by }) => by ?? '', leaveOut: 2 },
];

/** The fields of one operation. */
export function operationFields(operation: ShownOperation): Field[] {
  const { id, action, state, endedAfter, by, started, ended } = operation;
  return [
    ['operation', id],
    ['action', action],
    ['jobs', filterText(operation)],
    ['ended since', endedAfter ?? ''],
    ['state', state],
    ['progress', operationProgress(operation)],
    ['by', by ?? ''],
    ['started', `${started} (${fromNow(started)})`],
    ['ended', ended ?? ''],
  ];
}

/** Returns a bar and its numbers: `██████░░░░ 64% 3,200 of 5,000, 12 skipped`. Without a known total: `3,200`. */
export function operationProgress({ done, skipped, undone, total, state }: ShownOperation): string {
  const of = Math.max(total.count, done + skipped);
  const isKnown = !total.isCapped;
  const bar = isKnown && of > 0 ? progressText({ done: done + skipped, of }) : '';
  const number = (value: number) => value.toLocaleString('en-US');
  const isUndone = state === 'undoing' || state === 'undone';
  const parts = [
    isKnown ? `${number(done)} of ${number(of)}` : number(done),
    ...(skipped > 0 ? [`${number(skipped)} skipped`] : []),
    ...(isUndone ? [`${number(undone)} undone`] : []),
  ];
  const rest = state === 'undone' && undone < done ? '; the others had begun, or were changed again' : '';
  return [bar, `${parts.join(', ')}${rest}`].filter((part) => part !== '').join(' ');
}

/** Returns a filter as text: `status error, jobName webhook`. */
function filterText({ filter }: ShownOperation): string {
  return Object.entries(filter)
    .flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]))
    .join(', ');
}
