import { type Case, casesOf } from '../cases.js';
import type { Evidence, Violation } from '../evidence.js';
import { groupBy } from '../group-by.js';
import { chaosInput, jobNames } from '../plan-jobs.js';

/**
 * Checks that no job of a strict order began before one that was added earlier was settled. The producer adds one after the
 * other. Its request may arrive late, so only a job that was stored earlier counts.
 */
export function orderHolds(evidence: Evidence): Violation[] {
  const ordered = casesOf(evidence)
    .filter(({ job }) => job.jobName === jobNames.ordered)
    .map(inLine);
  return [...groupBy(ordered, ({ group }) => group).values()].flatMap((line) =>
    line.flatMap((later) => line.filter((earlier) => isOvertaken(earlier, later)).map(violationOf(later))),
  );
}

interface InLine extends Case {
  readonly group: number;
  readonly n: number;
  readonly at: number;
}

function inLine(ofJob: Case): InLine {
  const { group, n, at } = chaosInput.parse(ofJob.job.input);
  return { ...ofJob, group, n, at };
}

function isOvertaken(earlier: InLine, later: InLine): boolean {
  const isEarlier = earlier.n < later.n || (earlier.n === later.n && earlier.at < later.at);
  const [first] = later.holders;
  if (!isEarlier || earlier.job.created > later.job.created || !first) return false;
  return earlier.job.completed === undefined || first.picked < earlier.job.completed;
}

function violationOf(later: InLine) {
  return (earlier: InLine): Violation => ({
    rule: 'order',
    message: `Job ${later.job._id} began before job ${earlier.job._id} was settled, which was added earlier.`,
    documents: [earlier.job, later.job],
  });
}
