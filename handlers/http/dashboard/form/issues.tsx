import type { Issue } from '../../../../src/index.js';
import type { Path } from './read-value.js';

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

/** Returns the attributes that link a control to its hint and its issues, for screen readers. */
export function described(path: Path, issues: readonly Issue[], hint?: string) {
  const isWrong = issuesAt(path, issues).length > 0;
  const ids = [...(hint ? [`${idOf(path)}-hint`] : []), ...(isWrong ? [issuesId(path)] : [])];
  return {
    id: idOf(path),
    'aria-invalid': isWrong ? 'true' : undefined,
    'aria-describedby': ids.length > 0 ? ids.join(' ') : undefined,
  };
}

/** Returns an id without quotes and spaces, which have a meaning in attributes. */
export function idOf(path: Path): string {
  return `field-${path.map(encodeURIComponent).join('/')}`;
}

function issuesAt(path: Path, issues: readonly Issue[]): string[] {
  const place = path.join('.');
  return issues.filter((issue) => issue.path === place).map(({ message }) => message);
}

function issuesId(path: Path): string {
  return `${idOf(path)}-issues`;
}
