import type { SchedulerItem, Upcoming } from '../../../src/index.js';
import { LATE_MS } from '../../../src/verdict/late-schedules.js';
import type { Session } from '../session/session.js';
import { cronWords, listsWords } from './cron-words.js';
import { DayStrip } from './parts/day-strip.js';
import { exactDuration, Moment } from './parts/moment.js';
import { PageLinks } from './parts/page-links.js';
import { jobPath, newSchedulerPath, schedulerPath, schedulersPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';

interface SchedulerTableProps {
  readonly items: readonly SchedulerItem[];
  /** The cursor of the next page, if there is one. */
  readonly cursor: string | undefined;
  readonly isFirst: boolean;
  /** The text that is searched for. */
  readonly text: string;
  /** The occurrences of the next 24 hours. */
  readonly upcoming: readonly Upcoming[];
  readonly session: Session;
  /** Returns whether the user may add jobs of this name. */
  readonly mayRun: (jobName: string) => boolean;
  readonly now: Date;
}

export function SchedulerTable({
  items,
  cursor,
  isFirst,
  text,
  upcoming,
  session,
  mayRun,
  now,
}: SchedulerTableProps) {
  const mayAct = may(session, 'write');
  return (
    <>
      <div class="title">
        <h1>Schedules</h1>
        {mayAct && (
          <a class="button primary" href={newSchedulerPath()}>
            Add a schedule
          </a>
        )}
      </div>
      <form class="filter" method="get" action="/dashboard/schedulers" data-filter aria-label="Filter">
        <div class="field">
          <label for="search">Search</label>
          <input id="search" name="text" type="search" value={text} spellcheck={false} />
        </div>
        <noscript>
          <button type="submit">Search</button>
        </noscript>
      </form>
      <div id="strip" data-live>
        {upcoming.length > 0 && <DayStrip upcoming={upcoming} now={now} />}
      </div>
      <section class="card" id="schedulers" data-live>
        {items.length === 0 && text !== '' ? (
          <p class="empty">
            {cursor === undefined ? 'No schedule matches.' : 'None of those looked at match.'}
          </p>
        ) : items.length === 0 && isFirst ? (
          <Empty />
        ) : (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Schedule</th>
                  <th scope="col">When</th>
                  <th scope="col">Next</th>
                  <th scope="col">Last</th>
                  <th scope="col">State</th>
                  <th scope="col">
                    <span class="unseen">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((item) => (
                  <Row
                    item={item}
                    session={session}
                    now={now}
                    mayAct={mayAct}
                    mayRun={mayRun(item.jobName)}
                  />
                ))}
              </tbody>
            </table>
          </div>
        )}
        <PageLinks first={schedulersPath(text)} cursor={cursor} isFirst={isFirst} what="schedules" />
      </section>
    </>
  );
}

function Empty() {
  return (
    <div class="empty">
      <p>
        <strong>No schedules yet.</strong>
      </p>
      <p>
        Add one here, with <code>processor.addScheduler</code>, or declare it in{' '}
        <code>handlers/schedules.ts</code>.
      </p>
    </div>
  );
}

function Row({
  item,
  session,
  now,
  mayAct,
  mayRun,
}: {
  item: SchedulerItem;
  session: Session;
  now: Date;
  mayAct: boolean;
  mayRun: boolean;
}) {
  return (
    <tr id={`scheduler-${encodeURIComponent(item.id)}`}>
      <th scope="row">
        <a href={schedulerPath(item.id)}>{item.title || item.id}</a>
        <div class="quiet">{item.jobName}</div>
      </th>
      <td data-label="When">{timingOf(item)}</td>
      <td data-label="Next">{item.nextCallTime ? <Moment at={item.nextCallTime} now={now} /> : '–'}</td>
      <td data-label="Last">
        <LastCall item={item} now={now} />
      </td>
      <td data-label="State">
        <Activity item={item} now={now} />
      </td>
      <td class="actions">
        {mayAct && <ItemButtons item={item} session={session} mayRun={mayRun} from="list" />}
      </td>
    </tr>
  );
}

function LastCall({ item: { lastCallTime, lastJobId }, now }: { item: SchedulerItem; now: Date }) {
  if (!lastCallTime) return <>–</>;
  const moment = <Moment at={lastCallTime} now={now} />;
  return lastJobId === undefined ? moment : <a href={jobPath(lastJobId)}>{moment}</a>;
}

/** Shows whether an item is active, and whether its job is overdue. */
export function Activity({ item, now }: { item: SchedulerItem; now: Date }) {
  const isLate = item.nextCallTime !== null && now.getTime() - item.nextCallTime.getTime() >= LATE_MS;
  if (item.active && isLate) return <span class="status error">late</span>;
  if (item.active) return <span class="status completed">active</span>;
  return <span class="status cancelled">{item.ended ? 'ended' : 'off'}</span>;
}

/** Buttons that activate or deactivate an item, or run it now. @param from the page to go back to */
export function ItemButtons({
  item,
  session,
  mayRun,
  from,
}: {
  item: SchedulerItem;
  session: Session;
  /** Whether the item can be activated and run. It can always be deactivated. */
  mayRun: boolean;
  from: 'list' | 'item';
}) {
  const name = item.title || item.id;
  const path = schedulerPath(item.id);
  const size = from === 'list' ? 'small' : undefined;
  return (
    <form method="post" class="actions">
      <TokenField session={session} />
      <input type="hidden" name="from" value={from} />
      <button
        type="submit"
        class={size}
        formaction={`${path}/${item.active ? 'deactivate' : 'activate'}`}
        disabled={!item.active && !mayRun}
        aria-label={`${item.active ? 'Switch off' : 'Switch on'}: ${name}`}
      >
        {item.active ? 'Switch off' : 'Switch on'}
      </button>
      <button
        type="submit"
        class={size}
        formaction={`${path}/run`}
        disabled={!mayRun}
        aria-label={`Run now: ${name}`}
      >
        Run now
      </button>
    </form>
  );
}

/** Briefly describes when an item is due. */
export function timingOf(item: SchedulerItem): string {
  switch (item.type) {
    case 'Delay':
      return `every ${exactDuration(item.delay)}`;
    case 'At':
      return `once, ${item.at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
    case 'Cron':
      return `${patternOf(item)} (${item.timeZone})`;
  }
}

/** Returns the pattern of an item in words, followed by its cron expression. */
function patternOf(item: Extract<SchedulerItem, { type: 'Cron' }>): string {
  if (!('cron' in item)) return listsWords(item);
  const words = cronWords(item.cron);
  return words === undefined ? item.cron : `${words}: ${item.cron}`;
}
