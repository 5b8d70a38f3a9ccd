import type { Collection } from 'mongodb';
import { NotFoundError } from '../errors.js';
import type { JobDocument } from './job.js';
import type { LogLineFields } from './log-line.js';

/** The lines that a job wrote by `log`, in all its attempts. */
export interface JobLog {
  /** The last 100, the oldest first. */
  readonly lines: readonly JobLogLine[];
  /** How many older lines were dropped. */
  readonly dropped: number;
}

export interface JobLogLine {
  /** By the database's clock. */
  readonly at: Date;
  /** The attempt that wrote it, counted from 1; one that was given back does not count, so that the next has its number. */
  readonly attempt: number;
  readonly message: string;
  readonly fields?: LogLineFields;
}

/** @throws NotFoundError */
export async function findJobLog(jobs: Collection<JobDocument>, id: string): Promise<JobLog> {
  const job = await jobs.findOne({ _id: String(id) }, { projection: { log: 1 } });
  if (!job) throw new NotFoundError('job', id);
  const { told = 0, lines = [] } = job.log ?? {};
  return {
    dropped: told - lines.length,
    lines: lines.map(({ fields, ...line }) => ({ ...line, ...(fields && { fields: JSON.parse(fields) }) })),
  };
}
