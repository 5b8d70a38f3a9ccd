import * as z from 'zod';

const recordSchema = z.union([
  z.object({ eventSource: z.string() }).transform(({ eventSource }) => eventSource),
  z.object({ EventSource: z.string() }).transform(({ EventSource }) => EventSource),
  z.unknown().transform(() => 'unknown'),
]);

const sourceSchema = z.union([
  z
    .object({ source: z.string(), 'detail-type': z.string() })
    .transform(({ source, 'detail-type': type }) => `${quoted(source)} of the detail-type ${quoted(type)}`),
  z.object({ source: z.string() }).transform(({ source }) => quoted(source)),
  z
    .object({ Records: z.array(recordSchema).min(1) })
    .transform(({ Records }) => [...new Set(Records)].slice(0, 5).map(quoted).join(' and ')),
]);

/**
 * Refuses an event that a function does not expect. If the event were ignored, or treated as another kind, it would be
 * lost silently.
 *
 * @throws Error that names the event's source, and the expected events
 */
export function refuseEvent(who: string, event: unknown, expected: string): never {
  const source = sourceSchema.safeParse(event).data ?? quoted('unknown');
  throw new Error(`The ${who} takes no event from ${source}: expected ${expected}.`);
}

function quoted(text: string): string {
  return `'${text.slice(0, 100)}'`;
}
