import type { SchedulerItem } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { exactDuration, Moment } from './parts/moment.js';
import { PageLinks } from './parts/page-links.js';
import { jobPath, newSchedulerPath, schedulerPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';

interface SchedulerTableProps {
  readonly items: readonly SchedulerItem[];
  /** The cursor of the next page, if there is one. */
  readonly cursor: string | undefined;
  readonly isFirst: boolean;
  readonly session: Session;
  /** Returns whether the user may add jobs of this name. */
  readonly mayRun: (jobName: string) => boolean;
  readonly now: Date;
}

export function SchedulerTable({ items, cursor, isFirst, session, mayRun, now }: SchedulerTableProps) {
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
      <section class="card" id="schedulers" data-live>
        {items.length === 0 && isFirst ? (
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
        <PageLinks first="/dashboard/schedulers" cursor={cursor} isFirst={isFirst} what="schedules" />
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
        <Activity item={item} />
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

/** Shows whether an item is active. */
export function Activity({ item }: { item: SchedulerItem }) {
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

function patternOf(item: Extract<SchedulerItem, { type: 'Cron' }>): string {
  if ('cron' in item) return item.cron;
  const lists = {
    minute: item.minute,
    hour: item.hour,
    day: item.dayOfMonth,
    month: item.month,
    weekday: item.dayOfWeek,
  };
  const given = Object.entries(lists).filter(([, list]) => list.length > 0);
  return given.length === 0
    ? 'every minute'
    : given.map(([name, list]) => `${name} ${list.join(',')}`).join('; ');
}
