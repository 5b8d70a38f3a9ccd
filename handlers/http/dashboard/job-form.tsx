import type { Issue, JobFactoryInfo } from '../../../src/index.js';
import { firstIssues } from '../../../src/issues.js';
import { FORM_TOKEN } from '../session/same-origin.js';
import type { Session } from '../session/session.js';
import { type Field, jsonField, toField } from './form/field.js';
import { ChangeButton, FieldControl, MemberControls } from './form/fields.js';
import { Issues } from './form/issues.js';
import { placeIssues } from './form/place-issues.js';
import { readValue } from './form/read-value.js';
import { jsonText } from './parts/json-text.js';
import { jobsPath, newSchedulerPath } from './paths.js';
import { TokenField } from './token-field.js';

export interface Draft {
  readonly input: unknown;
  readonly options: unknown;
  readonly isJson: boolean;
  readonly issues: readonly Issue[];
  /** Id of the job from which the form took its first input. */
  readonly from?: string;
}

const optionsField = {
  kind: 'object',
  members: [
    option('queue', { kind: 'text', type: 'text', isLong: false, mayBeEmpty: false }),
    option('priority', { kind: 'number', isWhole: true, minimum: 0, maximum: 9, hint: 'Higher runs first.' }),
    option('delay', {
      kind: 'text',
      type: 'text',
      isLong: false,
      mayBeEmpty: false,
      hint: 'Not before: such as 10s, 5m or 2h.',
    }),
    option('maxRetries', { kind: 'number', isWhole: true, minimum: 1, title: 'attempts', hint: 'In all.' }),
    option('unique', {
      kind: 'object',
      members: [
        option('key', {
          kind: 'text',
          type: 'text',
          isLong: false,
          mayBeEmpty: false,
          hint: 'At most one job of this kind has it.',
        }),
        option('mode', {
          kind: 'choice',
          values: ['keep', 'replace', 'preserveRunAt'],
          hint: 'What becomes of a waiting job that has it.',
        }),
        option('until', { kind: 'choice', values: ['settled', 'claimed'], hint: 'When it is free again.' }),
        option('period', {
          kind: 'text',
          type: 'text',
          isLong: false,
          mayBeEmpty: false,
          hint: 'Taken for so long in any case: such as 1h.',
        }),
      ],
    }),
  ],
} as const satisfies Field;

function option(name: string, field: Field) {
  return { name, isRequired: false, field };
}

export function readDraft({ inputSchema, inputOptional }: JobFactoryInfo, form: URLSearchParams): Draft {
  const isJson = form.get('as') === 'json';
  const field = isJson ? jsonField : inputField(inputSchema);
  const input = readValue(field, !inputOptional, ['input'], form);
  const options = readValue(optionsField, false, ['options'], form);
  const from = form.get('from') ?? undefined;
  const known = new Set([FORM_TOKEN, 'as', 'change', 'from', ...input.names, ...options.names]);
  const issues = firstIssues([...input.issues, ...unknownFields(form, known)]);
  const draft = { input: input.value, options: options.value, isJson, issues };
  return from === undefined ? draft : { ...draft, from };
}

/**
 * Reports unknown fields. The page may have been made for an older schema of the input, and no typed text may get lost.
 */
function unknownFields(form: URLSearchParams, known: ReadonlySet<string>): Issue[] {
  const unknown = new Set([...form.keys()].filter((name) => !known.has(name)));
  return firstIssues(
    [...unknown].map((name) => ({ path: '', message: `Unknown field: ${name}. Load the page again.` })),
  );
}

interface AddJobFormProps {
  readonly factory: JobFactoryInfo;
  readonly draft: Draft;
  readonly session: Session;
  readonly mayAdd: boolean;
}

export function AddJobForm({ factory, draft, session, mayAdd }: AddJobFormProps) {
  const { name, inputSchema, inputOptional } = factory;
  const { input, options } = draft;
  const shaped = inputField(inputSchema);
  const isJson = draft.isJson || shaped.kind === 'json';
  const field = isJson ? { ...jsonField, hint: shaped.hint } : shaped;
  const issues = placeIssues(optionsField, 'options', placeIssues(field, 'input', draft.issues));
  return (
    <form
      class="card stack"
      method="post"
      action={`/dashboard/job-factories/${encodeURIComponent(name)}`}
      novalidate
    >
      <div class="title">
        <h1>{name}</h1>
        <span>
          <a href={jobsPath({ name })}>Its jobs</a>{' '}
          {mayAdd && <a href={newSchedulerPath(undefined, name)}>Schedule it</a>}
        </span>
      </div>
      <TokenField session={session} />
      <input type="hidden" name="as" value={isJson ? 'json' : 'fields'} />
      {draft.from !== undefined && <input type="hidden" name="from" value={draft.from} />}
      {/* The Enter key presses the first button of a form. Without this one, that might be a button of a list. */}
      <button type="submit" class="unseen" tabindex={-1} disabled={!mayAdd}>
        Add
      </button>
      <Issues path={[]} issues={otherIssues(issues)} />
      {field.kind !== 'object' ? (
        <FieldControl
          field={field}
          label={isJson ? 'Input, as JSON' : 'Input'}
          path={['input']}
          value={input}
          isRequired={!inputOptional}
          issues={issues}
        />
      ) : (
        <>
          <Issues path={['input']} issues={issues} />
          <MemberControls members={field.members} path={['input']} value={input} issues={issues} />
        </>
      )}
      <details open={issues.some(({ path }) => path.startsWith('options'))}>
        <summary>Options</summary>
        <MemberControls members={optionsField.members} path={['options']} value={options} issues={issues} />
      </details>
      <p class="actions">
        <button type="submit" class="primary" disabled={!mayAdd}>
          Add the job
        </button>
        {shaped.kind !== 'json' && (
          <ChangeButton change={{ show: isJson ? 'fields' : 'json' }}>
            {isJson ? 'Edit by fields' : 'Edit as JSON'}
          </ChangeButton>
        )}
      </p>
      {!mayAdd && (
        <p class="quiet">
          The role {factory.addRole} is needed to add it: yours is {session.caller.role}.
        </p>
      )}
      {inputSchema !== null && (
        <details>
          <summary>JSON Schema of the input</summary>
          <pre class="code">{jsonText(JSON.parse(inputSchema))}</pre>
        </details>
      )}
    </form>
  );
}

export function inputField(inputSchema: string | null): Field {
  return inputSchema === null ? jsonField : toField(JSON.parse(inputSchema));
}

/** Returns the issues that belong to no control. They are shown at the top. */
function otherIssues(issues: readonly Issue[]): Issue[] {
  return issues
    .filter(({ path }) => !/^(input|options)(\.|$)/.test(path))
    .map(({ path, message }) => ({ path: '', message: path === '' ? message : `${path}: ${message}` }));
}
