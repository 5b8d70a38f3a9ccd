import type { Issue } from '../../../../src/index.js';
import { parseJson } from '../../parse-json.js';
import type { Field, Member } from './field.js';

/** The value in a form, and issues for invalid JSON. The job's schema checks the value later. */
export interface ReadValue {
  readonly value: unknown;
  readonly issues: readonly Issue[];
  /** The names of the field's controls. */
  readonly names: ReadonlySet<string>;
}

/** Stands for text that should be JSON and is not. */
export class NotJson {
  constructor(readonly text: string) {}

  toJSON(): string {
    return this.text;
  }
}

/** The name of a control, which is the path of its value, such as `input.retries.0`. */
export type Path = readonly string[];

export function controlName(path: Path): string {
  return JSON.stringify(path);
}

/** Returns the name of the control that holds the length of a list. */
export function lengthName(path: Path): string {
  return `length of ${controlName(path)}`;
}

/** Returns the name of the tick box that says that an empty text is meant. */
export function emptyName(path: Path): string {
  return `empty ${controlName(path)}`;
}

/** Maximum number of members of a list. Our forms never send more. */
export const MAX_MEMBERS = 200;

/**
 * Maximum number of members of all lists in a form. Without it, a short form with nested lists could ask for millions
 * of controls. A larger value is edited as JSON.
 */
export const MAX_MEMBERS_IN_ALL = 1000;

/** Returns the value in the controls of a field. Undefined if the field was not filled in, even if it is required. */
export function readValue(field: Field, isRequired: boolean, path: Path, form: URLSearchParams): ReadValue {
  const issues: Issue[] = [];
  const names = new Set<string>();
  let membersLeft = MAX_MEMBERS_IN_ALL;
  return { value: read(field, isRequired, path), issues, names };

  function sent(name: string): string {
    names.add(name);
    return form.get(name) ?? '';
  }

  function read(field: Field, isRequired: boolean, path: Path): unknown {
    switch (field.kind) {
      case 'list':
        return readList(field.item, isRequired, path);
      case 'object':
        return readObject(field.members, isRequired, path);
      default:
        return readControl(field, isRequired, path);
    }
  }

  function readControl(
    field: Exclude<Field, { kind: 'list' | 'object' }>,
    isRequired: boolean,
    path: Path,
  ): unknown {
    const text = sent(controlName(path));
    switch (field.kind) {
      case 'text':
        return readText(text, field.mayBeEmpty, path);
      case 'number':
        return toNumber(text.trim());
      case 'yesOrNo':
        return isRequired ? text === 'true' : yesOrNo(text);
      case 'choice':
        return field.values[text === '' ? -1 : Number(text)];
      case 'json':
        return readJson(text, path);
    }
  }

  /** Returns the text of a control. Undefined for a blank control, unless the empty text was chosen. */
  function readText(text: string, mayBeEmpty: boolean, path: Path): string | undefined {
    if (mayBeEmpty) {
      const isChosen = sent(emptyName(path)) !== '';
      return text === '' && !isChosen ? undefined : text.replaceAll('\r\n', '\n');
    }
    return text === '' ? undefined : text.replaceAll('\r\n', '\n');
  }

  function readJson(text: string, path: Path): unknown {
    if (text.trim() === '') return undefined;
    try {
      return parseJson(text);
    } catch (error) {
      issues.push({ path: path.join('.'), message: error instanceof Error ? error.message : String(error) });
      return new NotJson(text);
    }
  }

  function readList(item: Field, isRequired: boolean, path: Path): unknown {
    const length = Math.max(0, Math.min(MAX_MEMBERS, membersLeft, Number(sent(lengthName(path))) || 0));
    membersLeft -= length;
    if (length === 0 && !isRequired) return undefined;
    return Array.from({ length }, (_, index) => read(item, true, [...path, String(index)]) ?? null);
  }

  function readObject(members: readonly Member[], isRequired: boolean, path: Path): unknown {
    const values = members.map(
      ({ name, isRequired, field }) => [name, read(field, isRequired, [...path, name])] as const,
    );
    if (!isRequired && values.every(([, value]) => isBlank(value))) return undefined;
    return Object.fromEntries(values.filter(([, value]) => value !== undefined));
  }
}

/** Returns a text as a number. An invalid number stays a text, and the job's schema refuses that. */
function toNumber(text: string): unknown {
  const number = Number(text);
  if (text === '') return undefined;
  return Number.isFinite(number) && !/^-?\d{16,}$/.test(text) ? number : text;
}

function yesOrNo(text: string): boolean | undefined {
  return text === '' ? undefined : text === 'true';
}

/** Returns whether a value comes from controls that were not filled in. */
function isBlank(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isBlank);
  return value === undefined || value === false;
}
