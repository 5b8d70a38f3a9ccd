import type { AuditEntry, RemoteProcessor } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { Moment } from './parts/moment.js';
import { auditOfPath } from './paths.js';
import { may } from './require-session.js';

/** Number of entries on the page of a job, a schedule or a limit. */
const SHOWN = 5;

/** Returns the last changes that people made to a target, such as `job:7`. */
export async function findDeeds(processor: RemoteProcessor, target: string): Promise<readonly AuditEntry[]> {
  return (await processor.audit.list({ target, limit: SHOWN })).entries;
}

interface DeedsProps {
  readonly entries: readonly AuditEntry[];
  readonly target: string;
  readonly session: Session;
  readonly now: Date;
}

/** Shows the changes that people made to a target. Shows nothing if there are none. */
export function Deeds({ entries, target, session, now }: DeedsProps) {
  return (
    <div id="deeds" data-live>
      {entries.length > 0 && (
        <section class="card" aria-labelledby="deeds-title">
          <h2 id="deeds-title">What people did</h2>
          <ul class="list">
            {entries.map((entry) => (
              <li>
                <span>
                  {actionText(entry.action)} <span class="quiet">by {entry.who}</span>
                  <Outcome entry={entry} />
                  <Changes entry={entry} />
                </span>
                <Moment at={entry.at} now={now} />
              </li>
            ))}
          </ul>
          {may(session, 'admin') && (
            <p>
              <a href={auditOfPath({ target })}>See all of it</a>
            </p>
          )}
        </section>
      )}
    </div>
  );
}

/** Shows how a change ended. Shows nothing if it succeeded. */
export function Outcome({ entry: { outcome, problem } }: { entry: AuditEntry }) {
  if (outcome === 'done') return null;
  return (
    <span class="error-text">
      {' '}
      {outcome}
      {problem !== undefined && ` (${problem})`}
    </span>
  );
}

/** Shows the changed fields, such as `max: 3 → 5`. */
export function Changes({ entry: { changes } }: { entry: AuditEntry }) {
  return changes.map(({ field, before, after }) => (
    <div class="quiet">
      {field}
      {before !== undefined && `: ${before}`}
      {(before !== undefined || after !== undefined) && (before === undefined ? ': ' : ' → ')}
      {after ?? (before !== undefined && 'nothing')}
    </div>
  ));
}

/** Returns the name of an action as words, such as `Retry job`. */
export function actionText(action: string): string {
  if (!/^[a-z]+([A-Z][a-z]+)*$/.test(action)) return action;
  const words = action
    .replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replace('scheduler', 'schedule');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
