import type { Evidence, Note, Run, Violation } from '../evidence.js';
import { groupBy } from '../group-by.js';
import { jobNames } from '../plan-jobs.js';

/**
 * Checks that no worker that took a job after one of its steps was known to be stored ran that step again, and that its
 * transaction took effect once. A worker that had the job before may still run a step, without knowing better.
 */
export function stepsHold(evidence: Evidence): Violation[] {
  return [...repeatedSteps(evidence), ...repeatedEffects(evidence)];
}

type StepNote = Extract<Note, { readonly kind: 'step ran' | 'step stored' }>;

function repeatedSteps({ notes, runs }: Evidence): Violation[] {
  const runByToken = new Map(runs.map((run) => [`${run.job} ${run.token}`, run]));
  const ofSteps = groupBy(notes.filter(isOfStep), ({ job, step }) => `${job} ${step}`);
  return [...ofSteps.values()].flatMap((ofStep) => {
    const stored = ofStep.filter(({ kind }) => kind === 'step stored').map(({ at }) => at.getTime());
    const known = Math.min(...stored);
    const ran = ofStep.filter(({ kind }) => kind === 'step ran');
    const again = ran.filter(({ job, token }) => takenAt(runByToken.get(`${job} ${token}`)) > known);
    return again.map((note) => ({
      rule: 'steps',
      message: `Step ${note.step} of job ${note.job} ran again after it was stored.`,
      documents: ofStep,
    }));
  });
}

function isOfStep(note: Note): note is StepNote {
  return note.kind === 'step ran' || note.kind === 'step stored';
}

/** When a worker took the job for this run. */
function takenAt(run: Run | undefined): number {
  const { began } = run ?? {};
  const isHolder = began?.lease?.token === run?.token;
  return isHolder ? (began?.picked?.getTime() ?? 0) : 0;
}

function repeatedEffects({ jobs, effects = [] }: Evidence): Violation[] {
  const timesById = new Map(effects.map(({ _id, times }) => [_id, times]));
  return jobs
    .filter(({ jobName }) => jobName === jobNames.stepped)
    .filter(({ _id, status }) => {
      const times = timesById.get(_id) ?? 0;
      return times > 1 || (status === 'completed' && times !== 1);
    })
    .map((job) => ({
      rule: 'effects',
      message: `The transaction of job ${job._id} took effect ${timesById.get(job._id) ?? 0} times.`,
      documents: [job],
    }));
}
