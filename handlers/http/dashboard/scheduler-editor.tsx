import type { Issue } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { TokenField } from './token-field.js';

interface EditorProps {
  readonly action: string;
  /** The version of the edited item. If the item has another version when it is saved, it is not overwritten. */
  readonly version?: number;
  readonly text: string;
  /** The current item, if somebody else changed it meanwhile. */
  readonly meanwhile?: string | undefined;
  readonly issues: readonly Issue[];
  readonly session: Session;
  readonly label: string;
  readonly mayEdit: boolean;
}

/** Edits a scheduler item as JSON. Each issue is shown with its field and line. */
export function SchedulerEditor({
  action,
  version,
  text,
  meanwhile,
  issues,
  session,
  label,
  mayEdit,
}: EditorProps) {
  const isWrong = issues.length > 0;
  return (
    <form method="post" action={action} class="stack" data-edits>
      <TokenField session={session} />
      {version !== undefined && <input type="hidden" name="version" value={version} />}
      {meanwhile !== undefined && <Meanwhile text={meanwhile} />}
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
      <p class="actions">
        <button type="submit" class="primary" disabled={!mayEdit}>
          {label}
        </button>
      </p>
    </form>
  );
}

function Meanwhile({ text }: { text: string }) {
  return (
    <>
      <p class="problem-text" role="alert">
        Somebody changed it meanwhile, so it was not saved. Above your text is how it is now. Save again to
        put your text in its place.
      </p>
      <pre class="code" id="meanwhile">
        {text}
      </pre>
    </>
  );
}

/** Returns the first line that seems to contain the field, which is enough to find it by eye. */
function lineOf(text: string, path: string): string {
  const [name = ''] = path.split('.');
  const line = text.split('\n').findIndex((one) => one.trimStart().startsWith(`${JSON.stringify(name)}:`));
  return line === -1 ? '' : `Line ${line + 1}, `;
}
