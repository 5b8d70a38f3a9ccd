import type { Child } from 'hono/jsx';
import type { Issue } from '../../../../src/index.js';
import type { Field, Member } from './field.js';
import { membersOf } from './fits.js';
import { controlName, lengthName, NotJson, type Path } from './read-value.js';

interface FieldProps<Kind extends Field = Field> {
  readonly field: Kind;
  readonly label: string;
  readonly path: Path;
  readonly value: unknown;
  readonly isRequired: boolean;
  /** Of the whole form. */
  readonly issues: readonly Issue[];
}

type Of<Kind extends Field['kind']> = Extract<Field, { kind: Kind }>;

/** A control for a field, with its label, its hint, and what is wrong with what it holds. */
export function FieldControl(props: FieldProps) {
  const { field, ...rest } = props;
  switch (field.kind) {
    case 'object':
      return <ObjectControl {...rest} field={field} />;
    case 'list':
      return <ListControl {...rest} field={field} />;
    default:
      return <Labelled {...props}>{control(field, props)}</Labelled>;
  }
}

/** The messages about one place. */
export function Issues({ path, issues }: { path: Path; issues: readonly Issue[] }) {
  const messages = issuesAt(path, issues);
  if (messages.length === 0) return null;
  return (
    <ul class="issues" id={issuesId(path)}>
      {messages.map((message) => (
        <li>{message}</li>
      ))}
    </ul>
  );
}

/** What a control tells to those who do not see what stands beside it. */
export function described(path: Path, issues: readonly Issue[], hint?: string) {
  const isWrong = issuesAt(path, issues).length > 0;
  const ids = [...(hint ? [`${idOf(path)}-hint`] : []), ...(isWrong ? [issuesId(path)] : [])];
  return {
    id: idOf(path),
    'aria-invalid': isWrong ? 'true' : undefined,
    'aria-describedby': ids.length > 0 ? ids.join(' ') : undefined,
  };
}

/** As an attribute, where quotes and spaces would mean something. */
export function idOf(path: Path): string {
  return `field-${path.map(encodeURIComponent).join('/')}`;
}

function Labelled({ field, label, path, isRequired, issues, children }: FieldProps & { children?: Child }) {
  return (
    <div class="field">
      <label for={idOf(path)}>
        {field.title ?? label}
        {!isRequired && <span class="quiet"> (optional)</span>}
      </label>
      {children}
      <Hint field={field} path={path} />
      <Issues path={path} issues={issues} />
    </div>
  );
}

function Hint({ field, path }: { field: Field; path: Path }) {
  if (!field.hint) return null;
  return (
    <p class="hint" id={`${idOf(path)}-hint`}>
      {field.hint}
    </p>
  );
}

function control(
  field: Exclude<Field, Of<'object' | 'list'>>,
  { path, value, isRequired, issues }: FieldProps,
) {
  const shared = { name: controlName(path), ...described(path, issues, field.hint) };
  switch (field.kind) {
    case 'text':
      return field.isLong ? (
        <textarea {...shared} rows={4}>
          {text(value)}
        </textarea>
      ) : (
        <input {...shared} type={field.type} value={text(value)} spellcheck={false} />
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
          {jsonText(value)}
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

function ObjectControl({ field, label, path, value, isRequired, issues }: FieldProps<Of<'object'>>) {
  return (
    <fieldset id={idOf(path)}>
      <legend>
        {field.title ?? label}
        {!isRequired && <span class="quiet"> (optional)</span>}
      </legend>
      <Hint field={field} path={path} />
      <Issues path={path} issues={issues} />
      <MemberControls members={field.members} path={path} value={value} issues={issues} />
    </fieldset>
  );
}

/** The controls of an object's members. */
export function MemberControls({
  members,
  path,
  value,
  issues,
}: Pick<FieldProps, 'path' | 'value' | 'issues'> & { members: readonly Member[] }) {
  const values = new Map(membersOf(value));
  return (
    <>
      {members.map(({ name, isRequired, field }) => (
        <FieldControl
          field={field}
          label={name}
          path={[...path, name]}
          value={values.get(name)}
          isRequired={isRequired}
          issues={issues}
        />
      ))}
    </>
  );
}

function ListControl({ field, label, path, value, isRequired, issues }: FieldProps<Of<'list'>>) {
  const members: readonly unknown[] = Array.isArray(value) ? value : [];
  const name = field.title ?? label;
  return (
    <fieldset id={idOf(path)}>
      <legend>
        {name}
        {!isRequired && <span class="quiet"> (optional)</span>}
      </legend>
      <Hint field={field} path={path} />
      <Issues path={path} issues={issues} />
      <input type="hidden" name={lengthName(path)} value={members.length} />
      {members.map((member, index) => (
        <div class="row">
          <FieldControl
            field={field.item}
            label={`${name} ${index + 1}`}
            path={[...path, String(index)]}
            value={member ?? undefined}
            isRequired
            issues={issues}
          />
          <ChangeButton change={{ remove: [...path, String(index)] }} label={`Remove ${name} ${index + 1}`}>
            Remove
          </ChangeButton>
        </div>
      ))}
      <ChangeButton change={{ add: path }} label={`Add one to ${name}`}>
        Add one
      </ChangeButton>
    </fieldset>
  );
}

/** Sends what is filled in to have the form changed; nothing is done with it. */
export function ChangeButton({
  change,
  label,
  children,
}: {
  change: object;
  label?: string;
  children?: Child;
}) {
  return (
    <button
      type="submit"
      name="change"
      value={JSON.stringify(change)}
      class="small"
      aria-label={label}
      formnovalidate
    >
      {children}
    </button>
  );
}

function issuesAt(path: Path, issues: readonly Issue[]): string[] {
  const place = path.join('.');
  return issues.filter((issue) => issue.path === place).map(({ message }) => message);
}

function issuesId(path: Path): string {
  return `${idOf(path)}-issues`;
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

function jsonText(value: unknown): string {
  if (value instanceof NotJson) return value.text;
  return value === undefined ? '' : JSON.stringify(value, null, 2);
}
