import type { Issue } from '../../../../src/index.js';
import { jsonText } from '../parts/json-text.js';
import type { Field } from './field.js';
import { described } from './issues.js';
import { controlName, emptyName, NotJson, type Path } from './read-value.js';

interface SimpleControlProps {
  readonly field: Exclude<Field, { kind: 'object' | 'list' }>;
  readonly path: Path;
  readonly value: unknown;
  readonly isRequired: boolean;
  readonly issues: readonly Issue[];
}

/** Shows a control without its label, for any field except an object or a list. */
export function SimpleControl({ field, path, value, isRequired, issues }: SimpleControlProps) {
  const shared = { name: controlName(path), ...described(path, issues, field.hint) };
  switch (field.kind) {
    case 'text':
      return (
        <>
          {field.isLong ? (
            <textarea {...shared} rows={4} placeholder=" ">
              {text(value)}
            </textarea>
          ) : (
            <input
              {...shared}
              type={field.type}
              list={field.list}
              value={text(value)}
              placeholder=" "
              spellcheck={false}
            />
          )}
          {field.mayBeEmpty && (
            <label class="empty-text">
              <input type="checkbox" name={emptyName(path)} value="yes" checked={value === ''} /> empty text
            </label>
          )}
        </>
      );
    case 'number':
      return (
        <input
          {...shared}
          type="text"
          inputmode={field.isWhole && (field.minimum ?? -1) >= 0 ? 'numeric' : 'text'}
          placeholder={rangeOf(field)}
          value={text(value)}
        />
      );
    case 'yesOrNo':
      return isRequired ? (
        <input {...shared} type="checkbox" value="true" checked={value === true} />
      ) : (
        <Choices
          {...shared}
          choices={['true', 'false']}
          labels={['yes', 'no']}
          chosen={text(value)}
          mayBeNone
        />
      );
    case 'choice':
      return (
        <Choices
          {...shared}
          choices={field.values.map((_, index) => String(index))}
          labels={field.values.map(String)}
          chosen={String(field.values.indexOf(toChoice(value)))}
          mayBeNone={!isRequired || value === undefined}
        />
      );
    case 'json':
      return (
        <textarea {...shared} rows={4} class="code" spellcheck={false} placeholder="JSON">
          {textOfJson(value)}
        </textarea>
      );
  }
}

interface ChoicesProps {
  readonly choices: readonly string[];
  readonly labels: readonly string[];
  readonly chosen: string;
  readonly mayBeNone: boolean;
}

function Choices({ choices, labels, chosen, mayBeNone, ...attributes }: ChoicesProps) {
  return (
    <select {...attributes}>
      {mayBeNone && <option value="" />}
      {choices.map((choice, index) => (
        <option value={choice} selected={choice === chosen}>
          {labels[index]}
        </option>
      ))}
    </select>
  );
}

function rangeOf({ minimum, maximum }: { minimum?: number; maximum?: number }): string | undefined {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${minimum} or more`;
  return maximum === undefined ? undefined : `at most ${maximum}`;
}

function toChoice(value: unknown) {
  return typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    value === null
    ? value
    : '';
}

function text(value: unknown): string {
  return value === undefined ? '' : String(value);
}

function textOfJson(value: unknown): string {
  return value instanceof NotJson ? value.text : jsonText(value);
}
