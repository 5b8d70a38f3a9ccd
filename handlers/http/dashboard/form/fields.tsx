import type { Child } from 'hono/jsx';
import type { Issue } from '../../../../src/index.js';
import type { Field, Member } from './field.js';
import { membersOf } from './fits.js';
import { Issues, idOf } from './issues.js';
import { lengthName, type Path } from './read-value.js';
import { SimpleControl } from './simple-control.js';

interface FieldProps<Kind extends Field = Field> {
  readonly field: Kind;
  readonly label: string;
  readonly path: Path;
  readonly value: unknown;
  readonly isRequired: boolean;
  /** All issues of the form. */
  readonly issues: readonly Issue[];
}

type Of<Kind extends Field['kind']> = Extract<Field, { kind: Kind }>;

/** Shows a control for a field, with its label, its hint, and its issues. */
export function FieldControl(props: FieldProps) {
  const { field, ...rest } = props;
  switch (field.kind) {
    case 'object':
      return <ObjectControl {...rest} field={field} />;
    case 'list':
      return <ListControl {...rest} field={field} />;
    default:
      return (
        <Labelled {...props}>
          <SimpleControl {...props} field={field} />
        </Labelled>
      );
  }
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

/** A button that changes the form itself. It sends the form, whose content is not acted on. */
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
