import type { FailureInfo, Mark, Percentiles, StatisticsRange } from '../../../src/index.js';
import { failedOf, failureRateOf } from '../../../src/statistics/failed-attempts.js';
import { firstLine } from './parts/first-line.js';
import { duration, Moment } from './parts/moment.js';
import { grouped } from './parts/number.js';
import { RangeLinks, rangeText } from './parts/range-links.js';
import { percent } from './parts/scale.js';
import { TimeChart } from './parts/time-chart.js';
import { failuresOfPath, jobsPath, kindPath } from './paths.js';

interface KindPageProps {
  readonly jobName: string;
  readonly statistics: StatisticsRange;
  readonly marks: readonly Mark[];
  /** Failures of the last day, the last seen first. */
  readonly failures: readonly FailureInfo[];
  readonly now: Date;
}

/** Shows how the jobs of one kind ended. */
export function KindPage({ jobName, statistics, marks, failures, now }: KindPageProps) {
  const { range } = statistics;
  return (
    <>
      <div class="title">
        <h1>{jobName}</h1>
        <p class="actions">
          <a class="button small" href={jobsPath({ name: jobName })}>
            See jobs
          </a>
          <a class="button small" href={jobsPath({ name: jobName, status: 'error' })}>
            See jobs in error
          </a>
          <a class="button small" href={failuresOfPath(jobName)}>
            See failures
          </a>
        </p>
      </div>
      <RangeLinks path={kindPath(jobName)} chosen={range} />
      <section class="card" id="chart" data-live aria-label="What ended">
        <TimeChart
          id="kind"
          title={rangeText(range)}
          statistics={statistics}
          marks={marks}
          jobName={jobName}
        />
      </section>
      <div class="columns">
        <section class="card" id="figures" data-live aria-labelledby="figures-title">
          <h2 id="figures-title">{rangeText(range)}</h2>
          <Figures statistics={statistics} />
        </section>
        <section class="card" id="failing" data-live aria-labelledby="failing-title">
          <h2 id="failing-title">Failed in the last day</h2>
          <Failing jobName={jobName} failures={failures} now={now} />
        </section>
      </div>
    </>
  );
}

function Figures({ statistics: { sum, run, wait, points, stepMs } }: Pick<KindPageProps, 'statistics'>) {
  const failed = failedOf(sum);
  const hours = (points.length * stepMs) / 3_600_000;
  return (
    <dl class="facts">
      <dt>Completed</dt>
      <dd>
        {grouped(sum.completed)} <span class="quiet">({perHour(sum.completed / hours)} an hour)</span>
      </dd>
      <dt>Failed attempts</dt>
      <dd>{failed === 0 ? '0' : `${grouped(failed)} (${percent(failureRateOf(sum))})`}</dd>
      <Measured title="Ran" measured={run} />
      <Measured title="Waited" measured={wait} />
    </dl>
  );
}

/** Shows the times within which 50, 95 and 99 of 100 jobs ended. */
function Measured({ title, measured }: { title: string; measured: Percentiles | undefined }) {
  return (
    <>
      <dt>{title}</dt>
      <dd>
        {measured ? (
          <>
            half within {duration(measured.p50)}, 95 % within {duration(measured.p95)}, 99 % within{' '}
            {duration(measured.p99)}
          </>
        ) : (
          'not measured'
        )}
      </dd>
    </>
  );
}

function Failing({ jobName, failures, now }: Pick<KindPageProps, 'jobName' | 'failures' | 'now'>) {
  if (failures.length === 0) return <p class="empty">None.</p>;
  return (
    <ul class="list">
      {failures.map(({ key, message, lastSeen }) => (
        <li>
          <a class="error-text" href={jobsPath({ failureKey: key, status: 'error', name: jobName })}>
            {firstLine(message)}
          </a>
          <Moment at={lastSeen} now={now} />
        </li>
      ))}
    </ul>
  );
}

function perHour(count: number): string {
  return count > 0 && count < 10 ? count.toFixed(1) : grouped(Math.round(count));
}
