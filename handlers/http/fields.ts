import * as z from 'zod';
import { durationSchema } from '../../src/duration.js';
import { jobStatuses } from '../../src/index.js';
import { storableText } from '../../src/storable-text.js';
import { documented } from './documented.js';

/** Fields that several routes use in requests or answers. */

/** A date, which becomes ISO 8601 text in an answer. */
export const moment = z.date();

/** Any JSON. */
export const json = z.unknown();

export const jobStatus = z.enum(jobStatuses);

/** A count that stops at a limit. */
export const cappedCount = z
  .object({ count: z.int(), isCapped: z.boolean() })
  .register(documented, { id: 'CappedCount', description: '`isCapped` is true if there are more.' });

export function idOf(what: string) {
  return z.object({ id: z.string().register(documented, { description: `The id of ${what}.` }) });
}

/**
 * Returns the schema of a name in a path.
 * @param schema the possible names. Default: any
 */
export function nameOf(what: string, schema: z.ZodString = z.string()) {
  return z.object({ name: schema.clone().register(documented, { description: `The name of ${what}.` }) });
}

/** Returns the schema of a whole number in a query. */
export function wholeNumber(minimum: number, maximum: number, description: string) {
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= minimum && Number(text) <= maximum, {
      message: `expected a whole number from ${minimum} to ${maximum}`,
    })
    .transform(Number)
    .register(documented, { description, jsonSchema: { type: 'integer', minimum, maximum } });
}

/**
 * Returns the schema of a duration in a query. A text of digits is a number of milliseconds, like a number in a body.
 */
export function duration(description: string) {
  return z
    .string()
    .transform((given, context) => {
      const { data, error } = durationSchema.safeParse(/^\d+$/.test(given) ? Number(given) : given);
      for (const { message } of error?.issues ?? []) context.addIssue({ code: 'custom', message });
      return data ?? z.NEVER;
    })
    .register(documented, {
      description,
      jsonSchema: {
        type: 'string',
        pattern: '^\\d{1,13}$|[A-Za-z]$',
        maxLength: 100,
        examples: ['7d', '60000'],
      },
    });
}

/** Returns the schema of a text in a query. */
export function textOf(description: string, minimum = 0, maximum = 10_000) {
  return storableText.min(minimum).max(maximum).register(documented, { description });
}

const DEFAULT_LIMIT = 100;

/** The query parameters of every list. */
export const page = {
  limit: wholeNumber(1, 1000, `How many at most; default ${DEFAULT_LIMIT}.`).optional(),
  cursor: textOf('That of the page before.').optional(),
};

/** Returns the schema of the query parameter that leaves out large members of a list. */
export function brief(description: string) {
  return z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .register(documented, { description, jsonSchema: { type: 'string', enum: ['true', 'false'] } });
}

/** The cursor of the next page, or null at the end. */
export const nextCursor = z.string().nullable();
