import type { Job } from '../../../src/index.js';
import { isSettled } from '../../../src/job/job.js';
import { statusesOf } from '../../../src/operation/change-slice.js';
import type { Session } from '../session/session.js';
import { conditionsOf, FilterForm, isNarrow, type JobFilter } from './job-filter.js';
import { JobTable } from './job-table.js';
import { findJobPath, jobsPath, operationsPath } from './paths.js';
import { may } from './require-session.js';
import { SearchBox } from './search-box.js';
import { TokenField } from './token-field.js';

interface JobsPageProps {
  readonly jobs: readonly Job[];
  readonly cursor: string | undefined;
  readonly filter: JobFilter;
  readonly isFirst: boolean;
  /** The known kinds of jobs. */
  readonly names: readonly string[];
  /** The message of the failure that the filter names. */
  readonly failure: string | undefined;
  /** The text of a search that cannot be read, and the reasons for that. */
  readonly search: { readonly text: string; readonly problems: readonly string[] };
  readonly session: Session;
  readonly here: string;
  readonly now: Date;
}

export function JobsPage({ filter, names, failure, search, ...list }: JobsPageProps) {
  const { jobs, cursor, isFirst, session, here, now } = list;
  const mayAct = may(session, 'write');
  return (
    <>
      <div class="title">
        <h1>Jobs</h1>
        <FindForm />
      </div>
      <SearchBox filter={filter} names={names} failure={failure} {...search} />
      <FilterForm filter={filter} names={names} />
      <section class="card" aria-label="Jobs">
        <div id="matching" data-live>
          {mayAct && (jobs.length > 0 || cursor !== undefined) && (
            <AllThatMatch filter={filter} session={session} />
          )}
        </div>
        <form method="post" action="/dashboard/jobs">
          <TokenField session={session} />
          {mayAct && <BulkButtons session={session} />}
          <div id="jobs" data-live>
            <input type="hidden" name="here" value={here} />
            {jobs.length === 0 ? (
              <Empty isNarrow={isNarrow(filter)} isLast={cursor === undefined} />
            ) : (
              <JobTable jobs={jobs} now={now} mayChoose={mayAct} />
            )}
            <p class="pages">
              {!isFirst && <a href={jobsPath(filter)}>Back to the {filter.order ?? 'newest'}</a>}
              {cursor !== undefined && <More filter={filter} cursor={cursor} isEmpty={jobs.length === 0} />}
            </p>
          </div>
        </form>
      </section>
    </>
  );
}

function FindForm() {
  return (
    <form method="get" action={findJobPath} class="actions" data-plain>
      <input
        name="id"
        class="short"
        aria-label="Id of a job"
        placeholder="Id of a job"
        required
        spellcheck={false}
      />
      <button type="submit">Open</button>
    </form>
  );
}

function BulkButtons({ session }: { session: Session }) {
  return (
    <fieldset class="actions plain" aria-label="Do with those that are ticked" data-bulk>
      <button type="submit" name="action" value="cancel" class="small">
        Cancel
      </button>
      <button type="submit" name="action" value="retry" class="small">
        Retry
      </button>
      {may(session, 'admin') && (
        <button
          type="submit"
          name="action"
          value="remove"
          class="small danger"
          data-confirm="Remove the ticked jobs for good?"
        >
          Remove
        </button>
      )}
      <span class="quiet" data-ticked />
      <button type="button" class="small" data-untick hidden>
        Untick all
      </button>
    </fieldset>
  );
}

const allLabels = { retry: 'Retry all', cancel: 'Cancel all', remove: 'Remove all' } as const;
const allActions = ['retry', 'cancel', 'remove'] as const;

/**
 * Buttons for all jobs that match the filter, also on other pages. The status in the filter decides which buttons there
 * are.
 */
function AllThatMatch({ filter, session }: { filter: JobFilter; session: Session }) {
  const { status } = conditionsOf(filter);
  if (status === undefined)
    return <p class="quiet">Choose a status to retry, cancel or remove all jobs that match.</p>;
  const actions = allActions.filter(
    (action) => statusesOf[action].includes(status) && (action !== 'remove' || may(session, 'admin')),
  );
  // Jobs that have not ended did not fail at any time.
  if (actions.length === 0 || (filter.failed !== undefined && !isSettled(status))) return null;
  const { order: _, ...conditions } = { ...filter, status };
  return (
    <form method="post" action={operationsPath} class="actions all">
      <TokenField session={session} />
      {Object.entries(conditions).map(
        ([name, value]) => value !== undefined && <input type="hidden" name={name} value={value} />,
      )}
      <span class="quiet">All that match, on other pages too:</span>
      {actions.map((action) => (
        <button
          type="submit"
          name="action"
          value={action}
          class={action === 'remove' ? 'small danger' : 'small'}
        >
          {allLabels[action]}
        </button>
      ))}
    </form>
  );
}

function More({ filter, cursor, isEmpty }: { filter: JobFilter; cursor: string; isEmpty: boolean }) {
  const next = filter.order === 'oldest' ? 'newer' : 'older';
  return (
    <a class="button" href={jobsPath({ ...filter, cursor })}>
      {isEmpty ? `Search ${next} jobs` : `Load ${next} jobs`}
    </a>
  );
}

function Empty({ isNarrow, isLast }: { isNarrow: boolean; isLast: boolean }) {
  if (!isLast) return <p class="empty">None of the jobs looked at so far match.</p>;
  if (isNarrow) {
    return (
      <p class="empty">
        No job matches. <a href="/dashboard/jobs">Show all</a>
      </p>
    );
  }
  return (
    <p class="empty">
      <strong>No jobs yet.</strong> <a href="/dashboard/job-factories">Add one by hand</a>, or with{' '}
      <code>processor.addJob</code>.
    </p>
  );
}
