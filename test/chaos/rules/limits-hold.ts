import { casesOf } from '../cases.js';
import type { Evidence, Run, Violation } from '../evidence.js';
import { groupBy } from '../group-by.js';
import { chaosInput, jobNames, limits } from '../plan-jobs.js';

/** Checks that no more jobs of a group, and of all groups, were seen to run under a lease at a time than the limits say. */
export function limitsHold(evidence: Evidence): Violation[] {
  const spans = casesOf(evidence)
    .filter(({ job }) => job.jobName === jobNames.worker)
    .flatMap(({ job, holders }) =>
      holders.map(({ run, began, held }) => ({
        run,
        group: chaosInput.parse(job.input).group,
        from: began.at.getTime(),
        until: held.getTime(),
      })),
    );
  const byGroup = [...groupBy(spans, ({ group }) => group).values()];
  return [...byGroup.flatMap((ofGroup) => tooMany(ofGroup, limits.ofGroup)), ...tooMany(spans, limits.ofAll)];
}

interface Span {
  readonly run: Run;
  readonly from: number;
  readonly until: number;
}

function tooMany(spans: readonly Span[], limit: number): Violation[] {
  return spans.flatMap((span) => {
    const beside = spans.filter(({ from, until }) => from <= span.from && span.from < until);
    if (beside.length <= limit) return [];
    const message = `${beside.length} jobs ran at a time under a limit of ${limit}.`;
    return [{ rule: 'limits', message, documents: beside.map(({ run }) => run) }];
  });
}
