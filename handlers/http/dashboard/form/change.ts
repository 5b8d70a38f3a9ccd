import * as z from 'zod';
import { MAX_MEMBERS, type Path } from './read-value.js';

/** What a button of a form changes in the form: nothing is done with what it holds. */
const changeSchema = z.union([
  z.strictObject({ add: z.array(z.string()) }),
  z.strictObject({ remove: z.array(z.string()).min(1) }),
  z.strictObject({ show: z.enum(['json', 'fields']) }),
]);

export type Change = z.output<typeof changeSchema>;

/** The change that was asked for, if any. */
export function readChange(form: URLSearchParams): Change | undefined {
  const text = form.get('change');
  return text === null ? undefined : changeSchema.parse(JSON.parse(text));
}

/** The value with a list longer, or shorter, by one. The path of a change begins with the name of the value itself. */
export function withList(value: unknown, change: Change): unknown {
  if ('show' in change) return value;
  if ('add' in change) {
    return changedAt(value, change.add.slice(1), (list) =>
      [...(Array.isArray(list) ? list : []), null].slice(0, MAX_MEMBERS),
    );
  }
  const index = Number(change.remove.at(-1));
  return changedAt(value, change.remove.slice(1, -1), (list) =>
    Array.isArray(list) ? list.toSpliced(index, 1) : list,
  );
}

function changedAt(value: unknown, [name, ...rest]: Path, change: (value: unknown) => unknown): unknown {
  if (name === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.map((member, index) => (String(index) === name ? changedAt(member, rest, change) : member));
  }
  const members = new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  members.set(name, changedAt(members.get(name), rest, change));
  return Object.fromEntries(members);
}
