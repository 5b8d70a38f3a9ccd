import type { Queue, QueuePage, WaitingJob } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { duration, Moment } from './parts/moment.js';
import { capped } from './parts/number.js';
import { PageLinks } from './parts/page-links.js';
import { jobPath, jobsPath, queuesPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';

interface QueuesPageProps {
  readonly queues: QueuePage;
  /** Whether the list of queues starts at the first one. */
  readonly isFirst: boolean;
  readonly waiting: readonly WaitingJob[];
  /** The person who paused each paused queue, if that is known. */
  readonly pausedBy: ReadonlyMap<string, string>;
  readonly session: Session;
  readonly now: Date;
}

/** Shows the queues with jobs, and the jobs that wait longest. */
export function QueuesPage({ queues, isFirst, waiting, pausedBy, session, now }: QueuesPageProps) {
  return (
    <>
      <h1>Queues</h1>
      <section class="card" aria-label="Queues with jobs">
        <div id="queues" data-live>
          <Queues queues={queues.queues} pausedBy={pausedBy} session={session} now={now} />
          <PageLinks
            first={queuesPath}
            parameter="queues"
            cursor={queues.cursor}
            isFirst={isFirst}
            what="queues"
          />
        </div>
        {may(session, 'admin') && <PauseByName session={session} />}
      </section>
      <section class="card" id="waiting" data-live aria-labelledby="waiting-title">
        <h2 id="waiting-title">Waiting longest</h2>
        <Waiting waiting={waiting} queues={queues.queues} />
      </section>
    </>
  );
}

type ListedQueues = readonly Queue[];

function Queues({
  queues,
  pausedBy,
  session,
  now,
}: { queues: ListedQueues } & Pick<QueuesPageProps, 'pausedBy' | 'session' | 'now'>) {
  if (queues.length === 0) return <p class="empty">Nothing is queued.</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Queue</th>
            <th scope="col">Ready</th>
            <th scope="col">Delayed</th>
            <th scope="col">Oldest is due since</th>
            <th scope="col">State</th>
            {may(session, 'admin') && (
              <th scope="col">
                <span class="unseen">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {queues.map(({ name, ready, delayed, oldest, paused }) => (
            <tr id={`queue-${encodeURIComponent(name)}`}>
              <th scope="row">
                <a href={jobsPath({ queue: name, status: 'queued' })}>{name}</a>
              </th>
              <td data-label="Ready">{capped(ready)}</td>
              <td data-label="Delayed">{capped(delayed)}</td>
              <td data-label="Oldest is due since">{oldest ? <Moment at={oldest} now={now} /> : '–'}</td>
              <td data-label="State">
                {paused ? (
                  <>
                    <span class="status paused">paused</span>
                    <div class="quiet">
                      <Moment at={paused} now={now} />
                      {pausedBy.has(name) && ` by ${pausedBy.get(name)}`}
                    </div>
                  </>
                ) : (
                  <span class="status completed">open</span>
                )}
              </td>
              {may(session, 'admin') && (
                <td class="actions">
                  <QueueButton name={name} isPaused={paused !== null} session={session} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function QueueButton({ name, isPaused, session }: { name: string; isPaused: boolean; session: Session }) {
  return (
    <form method="post" action={queuesPath}>
      <TokenField session={session} />
      <input type="hidden" name="queue" value={name} />
      <button
        type="submit"
        name="action"
        value={isPaused ? 'resume' : 'pause'}
        class="small"
        aria-label={`${isPaused ? 'Resume' : 'Pause'} queue ${name}`}
      >
        {isPaused ? 'Resume' : 'Pause'}
      </button>
    </form>
  );
}

/** A form that pauses a queue by name. A queue without jobs is not listed, but may have to be paused for maintenance. */
function PauseByName({ session }: { session: Session }) {
  return (
    <details>
      <summary>Pause another queue</summary>
      <form method="post" action={queuesPath} class="actions">
        <TokenField session={session} />
        <input
          name="queue"
          class="short"
          aria-label="Name of the queue"
          required
          maxlength={200}
          spellcheck={false}
        />
        <button type="submit" name="action" value="pause">
          Pause
        </button>
      </form>
    </details>
  );
}

function Waiting({ waiting, queues }: Pick<QueuesPageProps, 'waiting'> & { queues: ListedQueues }) {
  if (waiting.length === 0) {
    const isHeld = queues.some(({ ready, paused }) => paused !== null && ready.count > 0);
    return (
      <p class="empty">
        {isHeld
          ? 'No job is due but those of paused queues: the workers are up to date.'
          : 'No job is due: the workers are up to date.'}
      </p>
    );
  }
  return (
    <ul class="list">
      {waiting.map(({ id, jobName, priority, waitedMs, claimable }) => (
        <li>
          <span>
            <a href={jobPath(id)}>{jobName}</a>{' '}
            <span class="quiet">
              priority {priority}
              {!claimable && ', not taken by the workers of this deployment'}
            </span>
          </span>
          <span>{duration(waitedMs)}</span>
        </li>
      ))}
    </ul>
  );
}
