import type { Child } from 'hono/jsx';
import type { AuditEntry, OccurrenceJob, Preview, SchedulerItem } from '../../../src/index.js';
import { targetOf } from '../audit/targets.js';
import type { Session } from '../session/session.js';
import { Deeds } from './deeds.js';
import { JsonTree } from './parts/json-tree.js';
import { ExactMoment, Moment } from './parts/moment.js';
import { jobPath, schedulerPath } from './paths.js';
import { may } from './require-session.js';
import { Activity, ItemButtons, timingOf } from './scheduler-table.js';
import { TokenField } from './token-field.js';

interface SchedulerPageProps {
  readonly item: SchedulerItem;
  readonly occurrences: readonly Preview[];
  /** The jobs of the last occurrences, the latest first. */
  readonly history: readonly OccurrenceJob[];
  /** The last changes that people made to the schedule. */
  readonly deeds: readonly AuditEntry[];
  readonly session: Session;
  /** Whether the user may add jobs of the item's kind. Such a user may also change and run the item. */
  readonly mayChange: boolean;
  readonly now: Date;
  /** The editor. */
  readonly children?: Child;
}

/** Shows a scheduler item: its times, its jobs, and all actions on it. */
export function SchedulerPage({
  item,
  occurrences,
  history,
  deeds,
  session,
  mayChange,
  now,
  children,
}: SchedulerPageProps) {
  return (
    <>
      <div class="title">
        <h1>{item.title || item.id}</h1>
        <div id="buttons" data-live>
          {may(session, 'write') && (
            <ItemButtons item={item} session={session} mayRun={mayChange} from="item" />
          )}
        </div>
      </div>
      {item.description !== '' && <p>{item.description}</p>}
      <div class="columns">
        <section class="card" id="item" data-live aria-label="The schedule">
          <Facts item={item} now={now} />
          <History history={history} />
        </section>
        <section class="card" id="occurrences" data-live aria-labelledby="occurrences-title">
          <h2 id="occurrences-title">Next occurrences</h2>
          {!item.active && occurrences.length > 0 && <p class="quiet">If it were switched on now:</p>}
          <Occurrences occurrences={occurrences} zone={item.timeZone} now={now} />
        </section>
      </div>
      <section class="card" aria-labelledby="input-title">
        <h2 id="input-title">Input of its jobs</h2>
        {item.input === undefined ? <p class="quiet">They have none.</p> : <JsonTree value={item.input} />}
      </section>
      <section class="card" aria-labelledby="edit-title">
        <h2 id="edit-title">Change it</h2>
        {children}
      </section>
      <Deeds entries={deeds} target={targetOf('schedulers', item.id)} session={session} now={now} />
      {may(session, 'admin') && (
        <form method="post" action={`${schedulerPath(item.id)}/remove`}>
          <TokenField session={session} />
          <button
            type="submit"
            class="danger"
            data-confirm={`Remove ${item.title || item.id}? Its jobs stay.`}
          >
            Remove the schedule
          </button>
        </form>
      )}
    </>
  );
}

/**
 * Shows the jobs of the last occurrences as dots, the latest at the end. Each dot is a link in the colour of the job's
 * status.
 */
function History({ history }: { history: readonly OccurrenceJob[] }) {
  if (history.length === 0) return null;
  return (
    <ol class="dots" aria-label="Jobs of the last occurrences, the latest at the end">
      {history.toReversed().map(({ at, jobId, status }) => {
        const told = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC: ${status}`;
        return (
          <li>
            <a class={`status ${status}`} href={jobPath(jobId)} title={told}>
              <span class="unseen">{told}</span>
            </a>
          </li>
        );
      })}
    </ol>
  );
}

function Facts({ item, now }: { item: SchedulerItem; now: Date }) {
  return (
    <dl class="facts">
      <dt>State</dt>
      <dd>
        <Activity item={item} now={now} />
      </dd>
      <dt>When</dt>
      <dd>{timingOf(item)}</dd>
      <dt>Makes</dt>
      <dd>
        <a href={`/dashboard/jobs?name=${encodeURIComponent(item.jobName)}`}>{item.jobName}</a>
      </dd>
      <dt>Last</dt>
      <dd>
        {item.lastCallTime ? <Moment at={item.lastCallTime} now={now} /> : 'never'}
        {item.lastJobId !== undefined && (
          <>
            {' '}
            <a href={jobPath(item.lastJobId)}>its job</a>
          </>
        )}
      </dd>
      <dt>So far</dt>
      <dd>
        {item.occurrences} jobs{item.skipped > 0 && `, ${item.skipped} skipped`}
        {item.maxOccurrences !== undefined && ` of ${item.maxOccurrences}`}
      </dd>
      <dt>After downtime</dt>
      <dd>{afterDowntime[item.catchUp]}</dd>
      <dt>While one runs</dt>
      <dd>{item.overlap === 'skip' ? 'no other is made' : 'others are made'}</dd>
      {item.declared && (
        <>
          <dt>Declared</dt>
          <dd>in code, by {item.declared.by}</dd>
        </>
      )}
      <dt>Id</dt>
      <dd>
        <code>{item.id}</code>
      </dd>
    </dl>
  );
}

const afterDowntime = {
  once: 'one job for all that was missed',
  all: 'a job for each that was missed',
  none: 'no job for what was missed',
} as const satisfies Record<SchedulerItem['catchUp'], string>;

interface OccurrencesProps {
  readonly occurrences: readonly Preview[];
  /** The item's time zone. Unless it is UTC, moments are also shown in its local time. */
  readonly zone: string;
  readonly now: Date;
}

function Occurrences({ occurrences, zone, now }: OccurrencesProps) {
  const isZoned = zone !== 'UTC';
  if (occurrences.length === 0)
    return <p class="empty">There are none: it has ended, or its moment has passed.</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">In UTC</th>
            {isZoned && <th scope="col">In {zone}</th>}
            <th scope="col">From now</th>
          </tr>
        </thead>
        <tbody>
          {occurrences.map(({ at, local }) => (
            <tr>
              <td data-label="In UTC" class={isZoned ? 'more' : undefined}>
                <ExactMoment at={at} />
              </td>
              {isZoned && <td data-label="By its clock">{local.replace('T', ' ')}</td>}
              <td data-label="From now">
                <Moment at={at} now={now} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
