import type { JobDocument } from '../../src/job/job.js';
import type { Evidence, Run, Sighting } from './evidence.js';
import { groupBy } from './group-by.js';

/** A run that held the lease when it began, with what it saw. */
export interface Holder {
  readonly run: Run;
  readonly began: Sighting;
  /** The time at which its lease was taken. */
  readonly picked: Date;
  /** The time at which it was last seen to hold the lease. */
  readonly held: Date;
  /** The earliest time at which its lease could end. */
  readonly expires: Date;
}

/** A job with its entries in the ledger. */
export interface Case {
  readonly job: JobDocument;
  readonly runs: readonly Run[];
  /** The holders in the order in which they took the lease. */
  readonly holders: readonly Holder[];
}

/** Returns the evidence job by job. */
export function casesOf({ jobs, runs }: Pick<Evidence, 'jobs' | 'runs'>): Case[] {
  const runsByJob = groupBy(runs, ({ job }) => job);
  return jobs.map((job) => {
    const ofJob = runsByJob.get(job._id) ?? [];
    const holders = ofJob.flatMap(asHolder).sort((a, b) => a.picked.getTime() - b.picked.getTime());
    return { job, runs: ofJob, holders };
  });
}

/** Returns whether the document, as it was seen, had this run's token. */
export function holds(run: Run, sighting: Sighting | null | undefined): sighting is Sighting {
  return sighting?.status === 'processing' && sighting.lease?.token === run.token;
}

/** Returns the end of the last attempt that had ended by this sighting. */
export function lastEnd({
  status,
  completed,
  queued,
}: Pick<Sighting, 'status' | 'completed' | 'queued'>): Date {
  return status === 'queued' || status === 'processing' ? queued : (completed ?? queued);
}

function asHolder(run: Run): Holder[] {
  const { began, ended } = run;
  if (!holds(run, began) || !began.picked || !began.lease) return [];
  const last = holds(run, ended?.sighting) ? ended.sighting : began;
  return [
    { run, began, picked: began.picked, held: last.at, expires: last.lease?.expires ?? began.lease.expires },
  ];
}
