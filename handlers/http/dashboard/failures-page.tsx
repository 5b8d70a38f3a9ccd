import type { FailureInfo } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { Choice, withChosen } from './job-filter.js';
import { firstLine } from './parts/first-line.js';
import { Moment } from './parts/moment.js';
import { capped, grouped } from './parts/number.js';
import { PageLinks } from './parts/page-links.js';
import { Sparkline } from './parts/sparkline.js';
import { failuresOfPath, failuresPath, jobsPath, operationsPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';

interface FailuresPageProps {
  readonly failures: readonly FailureInfo[];
  readonly cursor: string | undefined;
  /** The kind of jobs that the list is limited to. */
  readonly jobName: string | undefined;
  /** The known kinds of jobs. */
  readonly names: readonly string[];
  readonly isFirst: boolean;
  readonly session: Session;
  readonly now: Date;
}

/** Shows groups of attempts that failed alike, the last seen first. */
export function FailuresPage({ jobName, names, ...list }: FailuresPageProps) {
  const { failures, cursor, isFirst, session, now } = list;
  return (
    <>
      <h1>Failures</h1>
      <form class="filter few" method="get" action={failuresPath} data-filter aria-label="Filter">
        <Choice name="name" label="Job" chosen={jobName} choices={withChosen(names, jobName)} none="all" />
        <noscript>
          <button type="submit">Filter</button>
        </noscript>
      </form>
      <section class="card" id="failures" data-live aria-label="Failures">
        {jobName !== undefined && failures.some(mayStillFail) && may(session, 'write') && (
          <RetryKind jobName={jobName} session={session} />
        )}
        {failures.length === 0 ? (
          <p class="empty">Nothing failed in the last 30 days. What fails appears within a minute.</p>
        ) : (
          <FailureTable failures={failures} session={session} now={now} />
        )}
        <PageLinks first={failuresOfPath(jobName)} isFirst={isFirst} cursor={cursor} what="failures" />
      </section>
    </>
  );
}

/**
 * Returns whether jobs of a group may still be in error. True for a group without a common key, whose jobs are not
 * counted.
 */
function mayStillFail({ stillFailing }: FailureInfo): boolean {
  return stillFailing?.count !== 0;
}

/** Offers to retry all failed jobs of a kind, because one fault often causes failures with several messages. */
function RetryKind({ jobName, session }: { jobName: string; session: Session }) {
  return (
    <form method="post" action={operationsPath} class="actions">
      <TokenField session={session} />
      <input type="hidden" name="name" value={jobName} />
      <input type="hidden" name="status" value="error" />
      <span class="quiet">Whatever they failed with:</span>
      <button type="submit" name="action" value="retry" class="small">
        Retry all jobs of {jobName} in error
      </button>
    </form>
  );
}

function FailureTable({ failures, session, now }: Pick<FailuresPageProps, 'failures' | 'session' | 'now'>) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Failure</th>
            <th scope="col">Still failing</th>
            <th scope="col">Attempts</th>
            <th scope="col">Last 24 hours</th>
            <th scope="col">First seen</th>
            <th scope="col">Last seen</th>
            <th scope="col">
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody data-held>
          {failures.map((failure) => (
            <Row failure={failure} session={session} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ failure, session, now }: { failure: FailureInfo; session: Session; now: Date }) {
  const { key, jobName, message, sample, count, stillFailing, hours, firstSeen, lastSeen } = failure;
  return (
    <tr id={`failure-${encodeURIComponent(key)}`}>
      <th scope="row">
        {jobName}
        <details id={`sample-${encodeURIComponent(key)}`}>
          <summary class="error-text">{firstLine(message)}</summary>
          <span class="quiet">The last one: {sample}</span>
        </details>
      </th>
      <td data-label="Still failing">{stillFailing ? capped(stillFailing) : 'not known'}</td>
      <td data-label="Attempts">{grouped(count)}</td>
      <td data-label="Last 24 hours">
        <Sparkline hours={hours} now={now} />
      </td>
      <td class="more" data-label="First seen">
        <Moment at={firstSeen} now={now} />
      </td>
      <td data-label="Last seen">
        <Moment at={lastSeen} now={now} />
      </td>
      <td class="actions">{mayStillFail(failure) && <Actions failure={failure} session={session} />}</td>
    </tr>
  );
}

function Actions({ failure, session }: { failure: FailureInfo; session: Session }) {
  const { key, jobName, message, stillFailing } = failure;
  // Those that differ too much have no key in common.
  const jobs = stillFailing ? { failureKey: key } : { status: 'error', name: jobName };
  return (
    <form method="post" action={operationsPath} class="actions">
      <a class="button small" href={jobsPath(jobs)} aria-label={`See jobs: ${firstLine(message)}`}>
        See jobs
      </a>
      {stillFailing && may(session, 'write') && (
        <>
          <TokenField session={session} />
          <input type="hidden" name="failureKey" value={key} />
          <input type="hidden" name="status" value="error" />
          <button
            type="submit"
            name="action"
            value="retry"
            class="small primary"
            aria-label={`Retry all: ${firstLine(message)}`}
          >
            Retry all
          </button>
        </>
      )}
    </form>
  );
}
