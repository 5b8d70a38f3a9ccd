import type { AuditEntry, JobInLine, LimitDetails } from '../../../src/index.js';
import { targetOf } from '../audit/targets.js';
import type { Session } from '../session/session.js';
import { Deeds } from './deeds.js';
import { hasButton, isSettable, LimitState, PauseButton, placesText } from './limit-state.js';
import { Moment } from './parts/moment.js';
import { capped } from './parts/number.js';
import { Status } from './parts/status.js';
import { jobPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';

interface LimitPageProps {
  readonly limit: LimitDetails;
  /** The last changes that people made to the limit. */
  readonly deeds: readonly AuditEntry[];
  readonly session: Session;
  readonly now: Date;
}

export function LimitPage({ limit, deeds, session, now }: LimitPageProps) {
  const mayAct = may(session, 'admin');
  return (
    <>
      <div class="title">
        <h1>{limit.key}</h1>
        <div id="buttons" class="actions" data-live>
          {mayAct && limit.stoppedBy && <SkipButton limit={limit} session={session} />}
          {mayAct && hasButton(limit) && <PauseButton limit={limit} session={session} from="page" />}
        </div>
      </div>
      <div class="columns">
        <section class="card stack" aria-label="The limit">
          <div id="limit" data-live>
            <Facts limit={limit} now={now} />
          </div>
          {mayAct && isSettable(limit) && <SetForm limit={limit} session={session} />}
        </section>
        <section class="card" id="holders" data-live aria-labelledby="holders-title">
          <h2 id="holders-title">Who holds the places</h2>
          <Holders holders={limit.holders} />
        </section>
        <section class="card" id="line" data-live aria-labelledby="line-title">
          <h2 id="line-title">Next in line</h2>
          <Line line={limit.line} waiting={limit.waiting.count} />
        </section>
      </div>
      <Deeds entries={deeds} target={targetOf('limits', limit.key)} session={session} now={now} />
    </>
  );
}

function Facts({ limit, now }: Pick<LimitPageProps, 'limit' | 'now'>) {
  return (
    <dl class="facts">
      <dt>State</dt>
      <dd>
        <LimitState limit={limit} now={now} />
      </dd>
      <dt>Waiting</dt>
      <dd>
        {capped(limit.waiting)}
        {limit.oldest && (
          <>
            , one since <Moment at={limit.oldest} now={now} />
          </>
        )}
      </dd>
      <dt>Taken</dt>
      <dd>{limit.taken}</dd>
      <dt>Places</dt>
      <dd>{placesText(limit)}</dd>
    </dl>
  );
}

/** A button that lets a strict order go on without the failed job that stops it. */
function SkipButton({ limit, session }: Pick<LimitPageProps, 'limit' | 'session'>) {
  return (
    <form method="post" action="/dashboard/limits">
      <TokenField session={session} />
      <input type="hidden" name="key" value={limit.key} />
      <input type="hidden" name="from" value="page" />
      <button type="submit" name="action" value="skip" class="small">
        Skip the failed job
      </button>
    </form>
  );
}

function SetForm({ limit, session }: Pick<LimitPageProps, 'limit' | 'session'>) {
  return (
    <form method="post" action="/dashboard/limits" class="actions">
      <TokenField session={session} />
      <input type="hidden" name="key" value={limit.key} />
      <input type="hidden" name="from" value="page" />
      <input
        name="max"
        class="short"
        aria-label="Number of places"
        inputmode="numeric"
        placeholder="as the code says"
        value={limit.max === null ? '' : `${limit.max}`}
      />
      <button type="submit" name="action" value="set">
        Set
      </button>
    </form>
  );
}

function Holders({ holders }: Pick<LimitDetails, 'holders'>) {
  if (holders.length === 0) return <p class="empty">Nobody.</p>;
  return (
    <ul class="list">
      {holders.map((job) => (
        <li>
          <JobLink job={job} />
          <Status status={job.status} />
        </li>
      ))}
    </ul>
  );
}

function Line({ line, waiting }: { line: readonly JobInLine[]; waiting: number }) {
  if (line.length === 0) return <p class="empty">No job waits.</p>;
  return (
    <ul class="list">
      {line.map((job) => (
        <li>
          <JobLink job={job} />
          <span class="quiet">queue {job.queue}</span>
        </li>
      ))}
      {waiting > line.length && <li class="quiet">and more</li>}
    </ul>
  );
}

function JobLink({ job: { id, jobName } }: { job: JobInLine }) {
  return (
    <span>
      <a href={jobPath(id)}>{jobName}</a> <span class="quiet">{id}</span>
    </span>
  );
}
