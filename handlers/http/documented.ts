import * as z from 'zod';
import { durationSchema } from '../../src/duration.js';
import { momentSchema } from '../../src/job/job-options.js';
import { retryDelaySchema } from '../../src/job/retry-delay.js';

/** Texts of the OpenAPI document about a schema, besides the schema itself. */
export interface Documentation {
  /** Name among the document's components. A schema without one is repeated wherever it is used. */
  readonly id?: string;
  readonly description?: string;
  /** Replaces the schema, if it uses a function that the document cannot describe. */
  readonly jsonSchema?: Readonly<Record<string, unknown>>;
}

/** Registry of the documentation. Schemas made with `refine` inherit it. */
export const documented = z.registry<Documentation>();

const duration = { $ref: '#/components/schemas/Duration' };

documented.add(durationSchema, {
  id: 'Duration',
  jsonSchema: {
    description: "Milliseconds, or a text such as '10s', '5m' or '2 days'; up to 100 years.",
    anyOf: [
      { type: 'integer', minimum: 0, maximum: 3_155_760_000_000 },
      { type: 'string', pattern: '[A-Za-z]$', maxLength: 100 },
    ],
  },
});
documented.add(momentSchema, {
  jsonSchema: { description: 'ISO 8601 with an offset.', type: 'string', format: 'date-time' },
});
documented.add(retryDelaySchema, {
  id: 'RetryDelay',
  jsonSchema: {
    description: 'Between a failed attempt and the next: always the same, or exponential with full jitter.',
    anyOf: [
      duration,
      {
        type: 'object',
        properties: { kind: { const: 'exponential' }, base: duration, cap: duration },
        required: ['kind', 'base'],
        additionalProperties: false,
      },
    ],
  },
});
