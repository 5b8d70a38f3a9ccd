import { ValidationError } from '../errors.js';
import type { NewJob } from '../job/insert-job.js';
import { MAX_ID } from '../job/job-options.js';

/** Retention of a job of a group. The job is kept as long as the group. */
const keptWithGroup = { completed: 'forever', cancelled: 'forever', error: 'forever' } as const;

/**
 * Gives a job its place in a group. The job gets no unique key, since it must be added whatever other jobs exist.
 *
 * @throws ValidationError if the id would be too long
 */
export function asMember(job: NewJob, id: string, group: string): NewJob {
  if (id.length > MAX_ID) {
    const message = `expected at most ${MAX_ID} characters of id: children of children are nested too deeply, or their first parent has too long an id`;
    throw new ValidationError('The children of a job', [{ path: '', message }]);
  }
  return { ...job, id, group, uniqueKey: undefined, sharing: undefined, retention: keptWithGroup };
}
