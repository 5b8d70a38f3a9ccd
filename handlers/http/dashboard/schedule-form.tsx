import type { Issue, Preview } from '../../../src/index.js';
import { cronWords } from './cron-words.js';
import type { Field } from './form/field.js';
import { ChangeButton, FieldControl, MemberControls } from './form/fields.js';
import { Issues } from './form/issues.js';
import { placeIssues } from './form/place-issues.js';
import { exactDuration } from './parts/moment.js';
import { furtherField, KINDS, mainField, shownValues, ZONES } from './schedule-draft.js';

type Values = Readonly<Record<string, unknown>>;

interface ScheduleFieldsProps {
  readonly values: Values;
  /** The field for the input of the schedule's kind of jobs. */
  readonly input: Field;
  readonly isNew: boolean;
  readonly issues: readonly Issue[];
  /** The known kinds of jobs. */
  readonly names: readonly string[];
}

/** The controls of a schedule: when, which job, and the job's own input. */
export function ScheduleFields({ values, input, isNew, issues: given, names }: ScheduleFieldsProps) {
  const shown = shownValues(values);
  const main = mainField(String(values.type), isNew);
  const fields = { kind: 'object', members: [...main.members, ...furtherField.members] } as const;
  const inSchedule = given.map((issue) =>
    /^input(\.|$)/.test(issue.path) || issue.path === ''
      ? issue
      : { ...issue, path: `schedule.${issue.path}` },
  );
  const issues = placeIssues(fields, 'schedule', placeIssues(input, 'input', inSchedule));
  const furtherNames = furtherField.members.map(({ name }) => name);
  const isFurtherOpen = furtherNames.some(
    (name) => shown[name] !== undefined && !isDefault(name, shown[name]),
  );
  return (
    <>
      <input type="hidden" name="type" value={String(values.type)} />
      {input.kind === 'json' && <input type="hidden" name="as" value="json-input" />}
      <Issues path={[]} issues={issues} />
      <MemberControls
        members={main.members}
        path={['schedule']}
        value={ofMembers(main, shown)}
        issues={issues}
      />
      <Suggestions id={ZONES} values={['UTC', ...Intl.supportedValuesOf('timeZone')]} />
      <Suggestions id={KINDS} values={names} />
      <p class="actions">
        <ChangeButton change={{ show: 'fields' }}>Show the input of this job</ChangeButton>
      </p>
      {input.kind === 'object' ? (
        <fieldset>
          <legend>Input of its jobs</legend>
          <Issues path={['input']} issues={issues} />
          <MemberControls members={input.members} path={['input']} value={values.input} issues={issues} />
        </fieldset>
      ) : (
        <FieldControl
          field={input}
          label={input.kind === 'json' ? 'Input of its jobs, as JSON' : 'Input of its jobs'}
          path={['input']}
          value={values.input}
          isRequired={false}
          issues={issues}
        />
      )}
      <details
        open={isFurtherOpen || issues.some(({ path }) => furtherNames.includes(path.split('.')[1] ?? ''))}
      >
        <summary>More options</summary>
        <MemberControls
          members={furtherField.members}
          path={['schedule']}
          value={ofMembers(furtherField, shown)}
          issues={issues}
        />
      </details>
      {isNew && (
        <div class="field">
          <label for="active">Switch it on at once</label>
          <input id="active" type="checkbox" name="active" value="true" checked={values.active === true} />
        </div>
      )}
    </>
  );
}

function ofMembers({ members }: Extract<Field, { kind: 'object' }>, values: Values): Values {
  return Object.fromEntries(members.map(({ name }) => [name, values[name]]));
}

function isDefault(name: string, value: unknown): boolean {
  return (name === 'catchUp' && value === 'once') || (name === 'overlap' && value === 'allow');
}

function Suggestions({ id, values }: { id: string; values: readonly string[] }) {
  return (
    <datalist id={id}>
      {values.map((value) => (
        <option value={value} />
      ))}
    </datalist>
  );
}

/** The meaning of a draft, with the moments at which it would be due next. */
export interface DraftPreview {
  readonly occurrences: readonly Preview[];
  /** The reason why there are no moments. */
  readonly problem: string | undefined;
}

/** Shows what a draft means. The script updates it while one types. */
export function PreviewOfDraft({ values, preview }: { values: Values; preview: DraftPreview }) {
  const words = wordsOf(values);
  const zone = typeof values.timeZone === 'string' && values.timeZone !== '' ? values.timeZone : 'UTC';
  return (
    <div id="preview" class="preview" aria-live="polite">
      {words !== undefined && (
        <p>
          <strong>{words}</strong> ({zone})
        </p>
      )}
      {preview.problem !== undefined && <p class="quiet">{preview.problem}</p>}
      {preview.occurrences.length > 0 && (
        <>
          <p class="quiet">Next, by the clock there:</p>
          <ol>
            {preview.occurrences.map(({ at, local }) => (
              <li>
                <time datetime={at.toISOString()}>{local.slice(0, 19).replace('T', ' ')}</time>
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

/** Returns in words when a draft is due. Undefined if that is not known yet. */
function wordsOf({ type, cron, delay, at }: Values): string | undefined {
  if (type === 'Delay') return typeof delay === 'number' ? `every ${exactDuration(delay)}` : undefined;
  if (type === 'At') return typeof at === 'string' && at !== '' ? `once, ${at}` : undefined;
  return typeof cron === 'string' ? cronWords(cron) : undefined;
}
