import type { Child } from 'hono/jsx';
import type { EndedMember, GroupProgress } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import type { GroupKindShown } from './group-kind.js';
import { GroupBar, GroupState } from './group-state.js';
import { firstLine } from './parts/first-line.js';
import { duration, ExactMoment, Moment } from './parts/moment.js';
import { grouped } from './parts/number.js';
import { jobPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';

interface GroupPageProps {
  readonly kind: GroupKindShown;
  readonly group: GroupProgress;
  /** The first jobs that failed. */
  readonly failures: readonly EndedMember[];
  /** Ids of the first and the last job of a batch. */
  readonly ends?: readonly string[];
  /** Id of the job that waits for a batch. */
  readonly last?: string | undefined;
  readonly session: Session;
  readonly now: Date;
  readonly children?: Child;
}

/** The page of a batch, or of a workflow with its graph as `children`. */
export function GroupPage({ kind, group, failures, ends = [], ...rest }: GroupPageProps) {
  const { last, session, now, children } = rest;
  return (
    <>
      <div class="title">
        <h1>{group.id}</h1>
        <div id="buttons" data-live>
          {may(session, 'write') && <Buttons kind={kind} group={group} session={session} />}
        </div>
      </div>
      <div id="group" data-live class="stack">
        <section class="card" aria-label={`The ${kind.one}`}>
          <dl class="facts">
            <dt>Status</dt>
            <dd>
              <GroupState status={group.status} />
            </dd>
            <dt>Completed</dt>
            <dd>
              <GroupBar group={group} now={now} />
            </dd>
            {group.open > 0 && (
              <>
                <dt>Not ended</dt>
                <dd>{grouped(group.open)}</dd>
              </>
            )}
            {ends.length > 0 && (
              <>
                <dt>Jobs</dt>
                <dd>
                  {ends.map((id, index) => (
                    <>
                      {index > 0 && ' to '}
                      <a href={jobPath(id)}>{id}</a>
                    </>
                  ))}
                </dd>
              </>
            )}
            {last !== undefined && (
              <>
                <dt>Then</dt>
                <dd>
                  <a href={jobPath(last)}>{last}</a>
                </dd>
              </>
            )}
            <dt>Added</dt>
            <dd>
              <Moment at={group.created} now={now} />
            </dd>
            {group.closed && (
              <>
                <dt>Took</dt>
                <dd>{duration(group.closed.getTime() - group.created.getTime())}</dd>
              </>
            )}
            {group.expires && (
              <>
                <dt>Kept until</dt>
                <dd>
                  <ExactMoment at={group.expires} />
                </dd>
              </>
            )}
          </dl>
        </section>
        {failures.length > 0 && (
          <Members title="Failed first" jobs={failures} more={moreFailed(group, failures)} />
        )}
        {children}
      </div>
    </>
  );
}

interface MembersProps {
  readonly title: string;
  readonly jobs: readonly EndedMember[];
  /** Text below the list. Empty for none. */
  readonly more: string;
}

function Members({ title, jobs, more }: MembersProps) {
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      <ul class="list">
        {jobs.map(({ id, status, error }) => (
          <li>
            <span>
              <a href={jobPath(id)}>{id}</a>
              {error !== undefined && <div class="error-text">{firstLine(error)}</div>}
            </span>
            <span class={`status ${status}`}>{status}</span>
          </li>
        ))}
      </ul>
      {more !== '' && <p class="quiet">{more}</p>}
    </section>
  );
}

function moreFailed({ failed }: GroupProgress, shown: readonly EndedMember[]): string {
  const more = failed - shown.length;
  return more > 0 ? `${grouped(more)} more failed or were cancelled.` : '';
}

function Buttons({ kind, group, session }: Pick<GroupPageProps, 'kind' | 'group' | 'session'>) {
  return (
    <form method="post" action={kind.path} class="actions">
      <TokenField session={session} />
      <input type="hidden" name="id" value={group.id} />
      {(group.open > 0 || group.closed === undefined) && (
        <button type="submit" name="action" value="cancel">
          Cancel
        </button>
      )}
      {group.failed > 0 && (
        <button type="submit" name="action" value="retry" class="primary">
          Retry what failed
        </button>
      )}
      {group.open === 0 && may(session, 'admin') && (
        <button
          type="submit"
          name="action"
          value="remove"
          class="danger"
          data-confirm={`Remove this ${kind.one} with its jobs for good?`}
        >
          Remove
        </button>
      )}
    </form>
  );
}
