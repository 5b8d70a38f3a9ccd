import type { Collection } from 'mongodb';
import { NotFoundError } from '../errors.js';
import type { JobDocument } from './job.js';
import type { LogLineFields } from './log-line.js';

/** The lines that a job wrote with `log`, in all its attempts. */
export interface JobLog {
  /** The last 100 lines, oldest first. */
  readonly lines: readonly JobLogLine[];
  /** Number of older lines that were dropped. */
  readonly dropped: number;
}

export interface JobLogLine {
  /** Time by the database's clock. */
  readonly at: Date;
  /** Number of the attempt, from 1. An attempt that was given back has the same number as the next one. */
  readonly attempt: number;
  readonly message: string;
  readonly fields?: LogLineFields;
}

/** Returns the log of a job. @throws NotFoundError */
export async function findJobLog(jobs: Collection<JobDocument>, id: string): Promise<JobLog> {
  const job = await jobs.findOne({ _id: String(id) }, { projection: { log: 1 } });
  if (!job) throw new NotFoundError('job', id);
  const { told = 0, lines = [] } = job.log ?? {};
  return {
    dropped: told - lines.length,
    lines: lines.map(({ fields, ...line }) => ({ ...line, ...(fields && { fields: JSON.parse(fields) }) })),
  };
}
