import { durationSchema } from '../../../src/duration.js';
import type { Issue } from '../../../src/index.js';
import { parseJson } from '../parse-json.js';
import type { Change } from './form/change.js';
import { withList } from './form/change.js';
import { type Field, jsonField } from './form/field.js';
import { fits } from './form/fits.js';
import { readValue } from './form/read-value.js';
import { jsonText } from './parts/json-text.js';
import { exactDuration } from './parts/moment.js';

type Values = Readonly<Record<string, unknown>>;

/** The options of a schedule while a person edits them. */
export interface ScheduleDraft {
  /** The options as JSON, as they are saved. */
  readonly text: string;
  /** Whether the person edits the text itself. */
  readonly isJson: boolean;
  /** Text that the person typed into the controls of the form. The controls show it again, even if it is wrong. */
  readonly typed?: Values;
  readonly issues: readonly Issue[];
}

/** Ids of the lists of known names that controls suggest. */
export const ZONES = 'zones';
export const KINDS = 'kinds';

const short = { kind: 'text', type: 'text', isLong: false, mayBeEmpty: false } as const;

const timings: Readonly<Record<string, Field & { readonly name: string }>> = {
  Cron: {
    ...short,
    name: 'cron',
    hint: 'Minute, hour, day of the month, month, weekday: such as 0 9 * * MON-FRI',
  },
  Delay: { ...short, name: 'delay', title: 'every', hint: 'Such as 30s, 5m, 2h or 1 day.' },
  At: { ...short, name: 'at', title: 'once at', hint: 'Such as 2030-01-31T09:00:00Z.' },
};

/**
 * Returns the fields that most schedules need.
 * @param isNew whether the id of the schedule can still be chosen
 */
export function mainField(type: string, isNew: boolean): Extract<Field, { kind: 'object' }> {
  const { name, ...timing } = timings[type] ?? timings.Cron ?? { name: 'cron', ...short };
  return {
    kind: 'object',
    members: [
      ...(isNew ? [optional('id', { ...short, hint: 'Its address. Left blank, one is made.' })] : []),
      optional('title', short),
      { name, isRequired: true, field: timing },
      optional('timeZone', { ...short, title: 'time zone', list: ZONES, hint: 'Default: UTC.' }),
      { name: 'jobName', isRequired: true, field: { ...short, title: 'job', list: KINDS } },
    ],
  };
}

/** The fields that few schedules need. */
export const furtherField: Extract<Field, { kind: 'object' }> = {
  kind: 'object',
  members: [
    optional('description', { ...short, isLong: true }),
    optional('catchUp', {
      kind: 'choice',
      values: ['once', 'all', 'none'],
      title: 'after downtime',
      hint: 'once: one job for all that was missed. all: one for each. none: none. Default: once.',
    }),
    optional('overlap', {
      kind: 'choice',
      values: ['allow', 'skip'],
      title: 'while one runs',
      hint: 'skip: no other job is made. Default: allow.',
    }),
    optional('jitter', { ...short, hint: 'Each job runs later by a random part of this, such as 5m.' }),
    optional('startAt', { ...short, title: 'not before', hint: 'Such as 2030-01-31T09:00:00Z.' }),
    optional('endAt', { ...short, title: 'not after' }),
    optional('maxOccurrences', {
      kind: 'number',
      isWhole: true,
      minimum: 1,
      title: 'ends after',
      hint: 'Occurrences.',
    }),
    optional('timeField', {
      ...short,
      title: 'field of the time',
      hint: 'Field of the input that gets the moment.',
    }),
    optional('jobOptions', {
      kind: 'object',
      title: 'options of its jobs',
      members: [
        optional('queue', short),
        optional('priority', { kind: 'number', isWhole: true, minimum: 0, maximum: 9 }),
        optional('maxRetries', { kind: 'number', isWhole: true, minimum: 1, title: 'attempts' }),
      ],
    }),
  ],
};

function optional(name: string, field: Field) {
  return { name, isRequired: false, field };
}

/** Returns the options in a text, or undefined if it is no JSON object. */
export function valuesOf(text: string): Values | undefined {
  try {
    const value = parseJson(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(Object.entries(value));
  } catch {
    return undefined;
  }
}

/** Returns whether a form can show the options and return them unchanged. @param input the field of the kind's input */
export function fitsForm(values: Values, input: Field): boolean {
  const { type, active, input: given, ...options } = shownValues(values);
  const names = new Set(allMembers(String(type)).map(({ name }) => name));
  const isKnown = Object.keys(options).every((name) => names.has(name));
  return (
    typeof type === 'string' &&
    Object.hasOwn(timings, type) &&
    isKnown &&
    fits({ kind: 'object', members: allMembers(type) }, options) &&
    fits(input, given)
  );
}

function allMembers(type: string) {
  return [...mainField(type, true).members, ...furtherField.members];
}

/** Returns the options as controls show them. Durations become text, and empty texts are left out. */
export function shownValues(values: Values): Values {
  const shown = Object.entries(values).flatMap(([name, value]): [string, unknown][] => {
    if (value === '' && name !== 'input') return [];
    if ((name === 'delay' || name === 'jitter') && typeof value === 'number')
      return [[name, exactDuration(value)]];
    return [[name, value]];
  });
  return Object.fromEntries(shown);
}

/**
 * Reads the options that a form sends, from its controls or as text.
 *
 * @param isNew whether the schedule is new
 * @param inputOf returns the field for the input of a kind of jobs
 */
export async function readScheduleDraft(
  form: URLSearchParams,
  isNew: boolean,
  inputOf: (jobName: string) => Promise<Field>,
): Promise<ScheduleDraft> {
  const sent = form.get('text');
  if (sent !== null) return { text: sent, isJson: true, issues: [] };
  const type = form.get('type') ?? '';
  const path = ['schedule'];
  const main = readValue(mainField(type, isNew), true, path, form);
  const further = readValue(furtherField, true, path, form);
  const values = { ...objectOf(main.value), ...objectOf(further.value) };
  const shape = form.get('as') === 'json-input' ? jsonField : await inputOf(String(values.jobName ?? ''));
  const input = readValue(shape, false, ['input'], form);
  const { delay, jitter, timeZone, title = '', description = '', ...rest } = values;
  const options = {
    ...{ type, title, jobName: '', ...rest, description },
    ...(timeZone !== undefined && { timeZone: String(timeZone).trim() }),
    ...(delay !== undefined && { delay: toMs(delay) }),
    ...(jitter !== undefined && { jitter: toMs(jitter) }),
    ...(input.value !== undefined && { input: input.value }),
    ...(isNew && { active: form.get('active') === 'true' }),
  };
  const issues = [...main.issues, ...input.issues];
  return { text: jsonText(options), isJson: false, typed: options, issues };
}

/**
 * Returns a draft with a change of its form. The change makes a list of the input longer or shorter, or switches
 * between controls and JSON.
 */
export function changedDraft(draft: ScheduleDraft, change: Change): ScheduleDraft {
  if ('show' in change) return { ...draft, isJson: change.show === 'json', issues: [] };
  const values = draft.typed ?? valuesOf(draft.text) ?? {};
  const typed = { ...values, input: withList(values.input, change) };
  return { text: jsonText(typed), isJson: false, typed, issues: [] };
}

function objectOf(value: unknown): Values {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** Returns a duration in milliseconds. An invalid one is returned as it is, and refused later. */
function toMs(duration: unknown): unknown {
  const { data } = durationSchema.safeParse(duration);
  return data ?? duration;
}
