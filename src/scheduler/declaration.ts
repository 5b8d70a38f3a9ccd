import { createHash } from 'node:crypto';
import * as z from 'zod';
import { isKind } from '../brand.js';
import { UnknownJobNameError, ValidationError } from '../errors.js';
import type { JobRegistry } from '../job/registry.js';
import { validateNow } from '../validate.js';
import { callTimeFrom, neverDue } from './activate.js';
import { newItem } from './add-item.js';
import { checkJob } from './check-job.js';
import {
  type SchedulerDefinition,
  type SchedulerOptions,
  schedulerOptionsSchema,
} from './scheduler-options.js';

/** An item declared in code, with the options of `addScheduler` and an id. */
export type DeclaredScheduler = SchedulerOptions & { readonly id: string };

export interface Declaration {
  readonly id: string;
  readonly active: boolean;
  readonly definition: SchedulerDefinition;
  /** The hash of the definition and of `active`. */
  readonly hash: string;
}

/** Checks all declarations before anything is written. @throws ValidationError for the first that is wrong */
export async function parseDeclarations(
  registry: JobRegistry,
  declared: readonly DeclaredScheduler[],
  now: Date,
): Promise<Declaration[]> {
  validateNow(idsSchema, declared, 'The list of declared scheduler items');
  return Promise.all(declared.map((options) => parseDeclaration(registry, options, now)));
}

async function parseDeclaration(
  registry: JobRegistry,
  options: DeclaredScheduler,
  now: Date,
): Promise<Declaration> {
  const { id } = options;
  const subject = `Declared scheduler item '${id}'`;
  const { id: _, active, ...parsed } = validateNow(schedulerOptionsSchema, options, subject);
  const definition = await checkJob(registry, parsed, now, subject).catch((error: unknown) => {
    throw isKind(error, UnknownJobNameError) ? withSubject(error, subject) : error;
  });
  const item = newItem(id, definition);
  if (callTimeFrom(item, LONG_AGO) === null) throw neverDue(item, LONG_AGO, subject);
  return { id, active, definition, hash: hashOf({ ...definition, active }) };
}

/**
 * Moment after which a declared item must have an occurrence. It is not now, so that an item whose schedule has ended may stay
 * declared.
 */
const LONG_AGO = new Date(0);

const idsSchema = z
  .array(z.looseObject({ id: z.string().min(1) }))
  .refine((items) => new Set(items.map(({ id }) => id)).size === items.length, 'expected each id once');

/** Returns an error that names the item. The job's name alone does not show which of many items is wrong. */
function withSubject({ message }: UnknownJobNameError, subject: string): ValidationError {
  return new ValidationError(subject, [{ path: 'jobName', message }]);
}

/** Returns a hash that does not depend on the order of fields. */
function hashOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content, inOrder)).digest('hex');
}

function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
