import * as z from 'zod';
import { jobNameSchema } from './define-job.js';
import type { JobContract } from './job-contract.js';

/**
 * Returns the schema of jobs by name. Each key must be the job's own name. Under another key, `addJob(job)` would add a job
 * that none of these workers takes.
 */
export function jobsByName<Job extends JobContract>(job: z.ZodType<Job>) {
  return z.record(jobNameSchema, job).superRefine((jobs, { addIssue }) => {
    for (const [key, { name }] of Object.entries(jobs)) {
      if (name !== key) addIssue({ code: 'custom', path: [key], message: anotherName(key, name) });
    }
  });
}

function anotherName(key: string, name: string): string {
  return `the job's own name is '${name}', not '${key}': write { '${name}': … }, or defineJob({ name: '${key}' })`;
}
