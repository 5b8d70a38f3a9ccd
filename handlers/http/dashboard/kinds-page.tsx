import type { FailureInfo, KindStatistics, Percentiles, Range } from '../../../src/index.js';
import { failedOf } from '../../../src/statistics/failed-attempts.js';
import { firstLine } from './parts/first-line.js';
import { duration } from './parts/moment.js';
import { grouped } from './parts/number.js';
import { PageLinks } from './parts/page-links.js';
import { RangeLinks, rangeText } from './parts/range-links.js';
import { percent } from './parts/scale.js';
import { SmallBars } from './parts/small-bars.js';
import { failuresOfPath, kindPath, kindsOfPath, kindsPath } from './paths.js';

interface KindsPageProps {
  readonly kinds: readonly KindStatistics[];
  readonly range: Range;
  /** The text that the names of the kinds contain. Undefined for all. */
  readonly name: string | undefined;
  /** Failures of the last hour, the last seen first. */
  readonly failures: readonly FailureInfo[];
  readonly isFirst: boolean;
  /** Number with which the next page begins, if there is one. */
  readonly next: number | undefined;
}

/** Shows how the jobs of each kind ended. Kinds with the most failed attempts are first. */
export function KindsPage({ kinds, range, name, failures, isFirst, next }: KindsPageProps) {
  return (
    <>
      <h1>Kinds of jobs</h1>
      <RangeLinks path={kindsOfPath(name)} chosen={range} />
      <form class="filter few" method="get" action={kindsPath} data-filter aria-label="Filter">
        <div class="field">
          <label for="name">Name contains</label>
          <input id="name" name="name" type="search" value={name} maxlength={200} spellcheck={false} />
        </div>
        <input type="hidden" name="range" value={range} />
        <noscript>
          <button type="submit">Filter</button>
        </noscript>
      </form>
      <section class="card" id="kinds" data-live aria-label="Kinds of jobs">
        {kinds.length === 0 ? (
          <p class="empty">
            No job {name !== undefined && 'of such a name '}ended: {rangeText(range).toLowerCase()}.
          </p>
        ) : (
          <KindTable kinds={kinds} range={range} failures={failures} />
        )}
        <PageLinks
          first={`${kindsPath}?${new URLSearchParams({ ...(name !== undefined && { name }), range })}`}
          parameter="from"
          cursor={next === undefined ? undefined : `${next}`}
          isFirst={isFirst}
          what="kinds"
        />
      </section>
      <p class="quiet">
        The kinds with the most failed attempts come first. A time is off by at most a factor of 1.4. Workers
        write their counts each minute.
      </p>
    </>
  );
}

function KindTable({ kinds, range, failures }: Pick<KindsPageProps, 'kinds' | 'range' | 'failures'>) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">Completed</th>
            <th scope="col">Failed</th>
            <th scope="col">{rangeText(range)}</th>
            <th scope="col">Ran</th>
            <th scope="col">Waited</th>
          </tr>
        </thead>
        <tbody>
          {kinds.map((kind) => (
            <Row
              kind={kind}
              range={range}
              failures={failures.filter(({ jobName }) => jobName === kind.jobName)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly kind: KindStatistics;
  readonly range: Range;
  readonly failures: readonly FailureInfo[];
}

function Row({ kind, range, failures }: RowProps) {
  const { jobName, counts, failureRate, run, wait, points } = kind;
  const failed = failedOf(counts);
  const [latest] = failures;
  return (
    <tr id={`kind-${encodeURIComponent(jobName)}`}>
      <th scope="row">
        <a href={`${kindPath(jobName)}?range=${range}`}>{jobName}</a>
        {latest && (
          <>
            <br />
            <a class="error-text" href={failuresOfPath(jobName)}>
              {firstLine(latest.message)}
              {failures.length > 1 && ` and ${failures.length - 1} more`}
            </a>
          </>
        )}
      </th>
      <td data-label="Completed">{grouped(counts.completed)}</td>
      <td data-label="Failed">
        {failed === 0 ? (
          '–'
        ) : (
          <span class="times">
            <span>{grouped(failed)}</span> <span>({percent(failureRate)})</span>
          </span>
        )}
      </td>
      <td data-label={rangeText(range)}>
        <SmallBars
          bars={points}
          label={`${grouped(counts.completed)} completed, ${grouped(failed)} failed`}
        />
      </td>
      <td data-label="Ran">
        <Times measured={run} />
      </td>
      <td data-label="Waited">
        <Times measured={wait} />
      </td>
    </tr>
  );
}

/** Shows the times within which 50, 95 and 99 of 100 jobs ended. */
export function Times({ measured }: { measured: Percentiles | undefined }) {
  if (!measured) return <>–</>;
  const { p50, p95, p99 } = measured;
  return (
    <span class="times">
      <span>{duration(p50)}</span>{' '}
      <span>
        <span class="quiet">p95</span> {duration(p95)}
      </span>{' '}
      <span>
        <span class="quiet">p99</span> {duration(p99)}
      </span>
    </span>
  );
}
