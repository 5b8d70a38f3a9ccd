import * as z from 'zod';
import { Problem } from '../../problem.js';
import { MAX_MEMBERS, type Path } from './read-value.js';

/** A path in a form. The limit is more than any form needs. */
const path = z.array(z.string()).max(50);

/** A change of the form itself, requested by a button. The form's content is not acted on. */
const changeSchema = z.union([
  z.strictObject({ add: path }),
  z.strictObject({ remove: path.min(1) }),
  z.strictObject({ show: z.enum(['json', 'fields']) }),
]);

export type Change = z.output<typeof changeSchema>;

/** Returns the requested change, if any. @throws Problem for a change that no button sends */
export function readChange(form: URLSearchParams): Change | undefined {
  const text = form.get('change');
  if (text === null) return undefined;
  const { data } = changeSchema.safeParse(parsed(text));
  if (data) return data;
  throw new Problem('validation_failed', { detail: 'Expected a change of the form. Load the page again.' });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the value with a list made longer or shorter by one. The change's path begins with the name of the value. */
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
