import * as z from 'zod';
import {
  type SchedulerChanges,
  type SchedulerItem,
  type SchedulerOptions,
  ValidationError,
} from '../../../src/index.js';
import { parseJson } from '../parse-json.js';
import { jsonText } from './parts/json-text.js';

/** Returns the options of an item that can be changed, as JSON for a person to edit. */
export function editable(item: SchedulerItem): string {
  return jsonText(decisionsOf(item));
}

/**
 * Returns the first options of a new item of this type, as JSON for a person to edit.
 * @param jobName default: none yet
 */
export function template(type: string | undefined, jobName = ''): string {
  return jsonText({ type: 'Cron', ...kinds.get(type ?? 'Cron'), ...shared, jobName });
}

const kinds = new Map<string, object>([
  ['Cron', { type: 'Cron', cron: '0 9 * * MON-FRI', timeZone: 'UTC' }],
  ['Delay', { type: 'Delay', delay: '5m' }],
  ['At', { type: 'At', at: '2030-01-01T09:00:00Z' }],
]);
const shared = { title: '', jobName: '', input: {}, active: false };

/**
 * Returns the changes that make an item equal an edited text. Options missing from the text are removed.
 * `updateScheduler` checks the changes.
 *
 * @throws ValidationError if the text is not a JSON object
 */
export function changesBetween(item: SchedulerItem, text: string): SchedulerChanges {
  const wanted = parseObject(text);
  const missing = Object.keys(decisionsOf(item)).filter((name) => !Object.hasOwn(wanted, name));
  return changes.parse({ ...Object.fromEntries(missing.map((name) => [name, null])), ...wanted });
}

/**
 * Returns the options in a text, for `addScheduler` to check.
 *
 * @throws ValidationError if the text is not a JSON object
 */
export function parseOptions(text: string): SchedulerOptions {
  return options.parse(parseObject(text));
}

const changes = z.custom<SchedulerChanges>(isObject);
const options = z.custom<SchedulerOptions>(isObject);

function decisionsOf(item: SchedulerItem) {
  const { id, active, ended, nextCallTime, lastCallTime, lastJobId, ...rest } = item;
  const { occurrences, skipped, declared, version, type, title, jobName, ...decisions } = rest;
  return { type, title, jobName, ...decisions };
}

function parseObject(text: string): object {
  const value = parse(text);
  if (isObject(value)) return value;
  throw new ValidationError('The text', [{ path: '', message: 'expected a JSON object' }]);
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    const message = `this is not JSON: ${error instanceof Error ? error.message : error}`;
    throw new ValidationError('The text', [{ path: '', message }]);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
