import type { OperationInfo } from '../../../src/index.js';
import { canBeUndone } from '../../../src/operation/operations.js';
import type { Session } from '../session/session.js';
import { OperationBar, OperationStateLabel } from './operation-state.js';
import { actionText, conditionsText } from './operation-words.js';
import { ExactMoment, exactDuration, Moment } from './parts/moment.js';
import { jobsOfPath, operationPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';

interface OperationPageProps {
  readonly operation: OperationInfo;
  readonly session: Session;
  readonly now: Date;
}

/** Shows how far an operation has come, with buttons to control it. */
export function OperationPage({ operation, session, now }: OperationPageProps) {
  return (
    <>
      <div class="title">
        <h1>{actionText(operation)}</h1>
        <div id="buttons" data-live>
          {may(session, 'write') && <Buttons operation={operation} session={session} now={now} />}
        </div>
      </div>
      <section class="card" id="operation" data-live aria-label="The operation">
        <Facts operation={operation} now={now} />
      </section>
    </>
  );
}

function Buttons({ operation, session, now }: OperationPageProps) {
  return (
    <form method="post" action={operationPath(operation.id)} class="actions">
      <TokenField session={session} />
      {operation.state === 'running' && (
        <button type="submit" name="action" value="stop">
          Stop
        </button>
      )}
      {canBeUndone(operation, now) && (
        <button type="submit" name="action" value="undo" title="For jobs that have not begun since">
          Undo
        </button>
      )}
    </form>
  );
}

function Facts({ operation, now }: Omit<OperationPageProps, 'session'>) {
  const { state, filter, spreadMs, by, started, ended, endedBefore, endedAfter, skipped } = operation;
  return (
    <dl class="facts">
      <dt>State</dt>
      <dd>
        <OperationStateLabel state={state} />
      </dd>
      <dt>Progress</dt>
      <dd>
        <OperationBar operation={operation} />
        {(state === 'running' || state === 'undoing') && (
          <div class="quiet">Each invocation of the scheduler goes on with it, once a minute.</div>
        )}
        {skipped > 0 && (
          <div class="quiet">
            Skipped: jobs that changed meanwhile, that need a unique key which is taken, that belong to a
            batch or workflow and would be removed without it, or that its starter may not add.
          </div>
        )}
      </dd>
      <dt>Jobs</dt>
      <dd>
        {conditionsText(filter)}
        {endedAfter && (
          <>
            , from <ExactMoment at={endedAfter} />
          </>
        )}
        , up to <ExactMoment at={endedBefore} />
        <div>
          <a href={jobsOfPath(filter)}>Jobs that match now</a>
        </div>
      </dd>
      {spreadMs !== undefined && (
        <>
          <dt>Spread over</dt>
          <dd>{exactDuration(spreadMs)}</dd>
        </>
      )}
      {by !== undefined && (
        <>
          <dt>By</dt>
          <dd>{by}</dd>
        </>
      )}
      <dt>Begun</dt>
      <dd>
        <Moment at={started} now={now} />
      </dd>
      {ended && (
        <>
          <dt>Ended</dt>
          <dd>
            <Moment at={ended} now={now} />
          </dd>
        </>
      )}
    </dl>
  );
}
