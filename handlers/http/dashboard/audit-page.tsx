import type { AuditEntry, AuditPage as Entries } from '../../../src/index.js';
import { actionText, Changes, Outcome } from './deeds.js';
import { Moment } from './parts/moment.js';
import { PageLinks } from './parts/page-links.js';
import { auditOfPath, auditPath, pathOfTarget } from './paths.js';

interface AuditPageProps extends Entries {
  readonly target: string;
  readonly who: string;
  readonly isFirst: boolean;
  readonly now: Date;
}

/** Number of targets of an entry that are shown. */
const SHOWN_TARGETS = 3;

/** Shows who changed what, the newest first. */
export function AuditPage({ entries, cursor, target, who, isFirst, now }: AuditPageProps) {
  const first = auditOfPath({ target, who });
  return (
    <>
      <h1>What people did</h1>
      <form class="filter" method="get" action={auditPath} aria-label="Filter">
        <div class="field">
          <label for="target">To what</label>
          <input id="target" name="target" value={target} placeholder="queue:mail" spellcheck={false} />
        </div>
        <div class="field">
          <label for="who">Who</label>
          <input id="who" name="who" value={who} spellcheck={false} />
        </div>
        <button type="submit">Show</button>
        {first !== auditPath && (
          <a class="button" href={auditPath}>
            Show all
          </a>
        )}
      </form>
      <section class="card" id="audit" data-live aria-label="What people did">
        {entries.length === 0 ? (
          <p class="empty">Nothing in the last 90 days.</p>
        ) : (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">What</th>
                  <th scope="col">To what</th>
                  <th scope="col">Who</th>
                  <th scope="col">From</th>
                  <th scope="col">When</th>
                </tr>
              </thead>
              <tbody data-held>
                {entries.map((entry) => (
                  <Row entry={entry} now={now} />
                ))}
              </tbody>
            </table>
          </div>
        )}
        <PageLinks first={first} isFirst={isFirst} cursor={cursor} what="entries" />
      </section>
    </>
  );
}

function Row({ entry, now }: { entry: AuditEntry; now: Date }) {
  return (
    <tr id={`entry-${entry.id}`}>
      <th scope="row">
        {actionText(entry.action)}
        <Outcome entry={entry} />
        <Changes entry={entry} />
      </th>
      <td data-label="To what">
        <Targets entry={entry} />
      </td>
      <td data-label="Who">
        <a href={auditOfPath({ who: entry.who })}>{entry.who}</a>
        {entry.role !== undefined && <span class="quiet"> ({entry.role})</span>}
      </td>
      <td class="more" data-label="From">
        {entry.via}
        {entry.address !== undefined && `, ${entry.address}`}
      </td>
      <td data-label="When">
        <Moment at={entry.at} now={now} />
      </td>
    </tr>
  );
}

function Targets({ entry: { targets, count } }: { entry: AuditEntry }) {
  const shown = targets.slice(0, SHOWN_TARGETS);
  return (
    <>
      {shown.map((target) => {
        const path = pathOfTarget(target);
        return <div>{path === undefined ? target : <a href={path}>{target}</a>}</div>;
      })}
      {count > shown.length && <div class="quiet">and {count - shown.length} more</div>}
    </>
  );
}
