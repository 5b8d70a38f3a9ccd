import * as z from 'zod';
import type { Paint } from '../output/paint.js';
import { visibleLines } from '../output/visible.js';

const lineShape = z.looseObject({
  at: z.string(),
  attempt: z.number(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).nullish(),
});

/** The log of a job. */
export const logShape = z.looseObject({ lines: z.array(lineShape), dropped: z.number() });

/** Returns one line of the log, as text for a person. */
export function logLine({ at, attempt, message, fields }: z.output<typeof lineShape>, paint: Paint): string {
  const details = fields && Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  return `${paint('dim', `${at} attempt ${attempt}`)}  ${visibleLines(message)}${paint('dim', visibleLines(details))}`;
}
