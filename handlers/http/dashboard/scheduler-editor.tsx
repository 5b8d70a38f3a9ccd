import type { Session } from '../session/session.js';
import type { Field } from './form/field.js';
import { ChangeButton } from './form/fields.js';
import type { Merged } from './merge-texts.js';
import { jsonText } from './parts/json-text.js';
import { LineChanges } from './parts/line-changes.js';
import { fitsForm, type ScheduleDraft, valuesOf } from './schedule-draft.js';
import { type DraftPreview, PreviewOfDraft, ScheduleFields } from './schedule-form.js';
import { TokenField } from './token-field.js';

interface EditorProps {
  readonly action: string;
  /** The version of the edited item. If the stored item has another version by then, saving does not overwrite it. */
  readonly version?: number;
  readonly draft: ScheduleDraft;
  /** The stored item from which the draft was made. */
  readonly base?: string | undefined;
  /** Changes that somebody else made meanwhile. */
  readonly meanwhile?: ChangedMeanwhile | undefined;
  /** The known kinds of jobs. */
  readonly names: readonly string[];
  /** The field for the input of the item's kind of jobs. */
  readonly input: Field;
  readonly preview: DraftPreview;
  readonly session: Session;
  readonly label: string;
  readonly mayEdit: boolean;
}

/** Changes that somebody else made while an item was edited. */
export interface ChangedMeanwhile {
  /** The current item. */
  readonly now: string;
  /** The two changes merged. Undefined if one of them is no JSON object, or if the item is longer than `MAX_BASE`. */
  readonly merged: Merged | undefined;
}

/**
 * Maximum length of an item that is sent with the form, in characters. The form's size is limited. Changes of a longer
 * item are not merged.
 */
const MAX_BASE = 100_000;

/** The editor of a scheduler item. It is a form, or JSON if the form cannot show all of the item. */
export function SchedulerEditor({
  action,
  version,
  draft,
  base,
  meanwhile,
  names,
  input,
  preview,
  session,
  label,
  mayEdit,
}: EditorProps) {
  const values = valuesOf(draft.text);
  const mayBeForm = values !== undefined && fitsForm(values, input);
  const shown = draft.isJson ? undefined : (draft.typed ?? (mayBeForm ? values : undefined));
  const isForm = shown !== undefined;
  return (
    <form
      method="post"
      action={action}
      class="stack"
      data-edits
      data-preview={JSON.stringify({ show: isForm ? 'fields' : 'json' })}
      novalidate
    >
      <TokenField session={session} />
      {version !== undefined && <input type="hidden" name="version" value={version} />}
      {base !== undefined && base.length <= MAX_BASE && <input type="hidden" name="base" value={base} />}
      {/* The Enter key presses the first button of a form. Without this one, that might be a button of a list. */}
      {isForm && (
        <button type="submit" class="unseen" tabindex={-1} disabled={!mayEdit}>
          {label}
        </button>
      )}
      {meanwhile && <Meanwhile {...meanwhile} />}
      {isForm ? (
        <fieldset class="whole" disabled={!mayEdit} aria-label="The schedule">
          <ScheduleFields
            values={shown}
            input={input}
            isNew={version === undefined}
            issues={draft.issues}
            names={names}
          />
        </fieldset>
      ) : (
        <TextEditor draft={draft} mayEdit={mayEdit} />
      )}
      <PreviewOfDraft values={values ?? {}} preview={preview} />
      <p class="actions">
        <button type="submit" class="primary" disabled={!mayEdit}>
          {label}
        </button>
        {(isForm || mayBeForm) && mayEdit && (
          <ChangeButton change={{ show: isForm ? 'json' : 'fields' }}>
            {isForm ? 'Edit as JSON' : 'Edit by fields'}
          </ChangeButton>
        )}
      </p>
    </form>
  );
}

/** Edits the options as JSON. Each issue is shown with its field and line. */
function TextEditor({ draft: { text, issues }, mayEdit }: Pick<EditorProps, 'draft' | 'mayEdit'>) {
  const isWrong = issues.length > 0;
  return (
    <>
      <label for="text">As JSON</label>
      <textarea
        id="text"
        name="text"
        class="code"
        rows={Math.min(24, text.split('\n').length + 1)}
        spellcheck={false}
        readonly={!mayEdit}
        aria-invalid={isWrong ? 'true' : undefined}
        aria-describedby={isWrong ? 'text-issues' : undefined}
      >
        {text}
      </textarea>
      {isWrong && (
        <ul class="issues" id="text-issues">
          {issues.map(({ path, message }) => (
            <li>
              {path !== '' && (
                <>
                  {lineOf(text, path)}
                  <code>{path}</code>:{' '}
                </>
              )}
              {message}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Meanwhile({ now, merged }: ChangedMeanwhile) {
  if (!merged) {
    return (
      <>
        <p class="problem-text" role="alert">
          Somebody changed it meanwhile, so it was not saved. Above your text is how it is now. Save again to
          put your text in its place.
        </p>
        <pre class="code" id="meanwhile">
          {now}
        </pre>
      </>
    );
  }
  const { taken, clashes } = merged;
  return (
    <>
      <p class="problem-text" role="alert">
        Somebody changed it meanwhile, so it was not saved.{' '}
        {taken.length > 0 && `Their ${listed(taken)} was put into your text. `}
        {clashes.length > 0 &&
          `You both changed ${listed(clashes.map(({ field }) => field))}: your text has yours. `}
        Save again to keep the text below.
      </p>
      {clashes.map(({ field, mine, theirs }) => (
        <section aria-label={`Both changes of ${field}`}>
          <LineChanges before={valueText(theirs)} after={valueText(mine)} names={['Theirs', 'Yours']} />
        </section>
      ))}
    </>
  );
}

function listed(fields: readonly string[]): string {
  return fields.join(', ');
}

function valueText(value: unknown): string {
  return value === undefined ? '(removed)' : jsonText(value);
}

/** Returns the first line that seems to contain the field, which is enough to find it by eye. */
function lineOf(text: string, path: string): string {
  const [name = ''] = path.split('.');
  const line = text.split('\n').findIndex((one) => one.trimStart().startsWith(`${JSON.stringify(name)}:`));
  return line === -1 ? '' : `Line ${line + 1}, `;
}
