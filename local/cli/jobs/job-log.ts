import * as z from 'zod';
import type { Paint } from '../output/paint.js';
import { visibleLines } from '../output/visible.js';

const lineShape = z.looseObject({
  at: z.string(),
  attempt: z.number(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).nullish(),
});

/** What a job logged. */
export const logShape = z.looseObject({ lines: z.array(lineShape), dropped: z.number() });

/** One line of it, for a person. */
export function logLine({ at, attempt, message, fields }: z.output<typeof lineShape>, paint: Paint): string {
  const details = fields && Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  return `${paint('dim', `${at} attempt ${attempt}`)}  ${visibleLines(message)}${paint('dim', visibleLines(details))}`;
}
