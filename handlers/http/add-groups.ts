import * as z from 'zod';
import { isKind } from '../../src/brand.js';
import { type AddedGroup, UnknownJobNameError, ValidationError } from '../../src/index.js';
import { MAX_SLOTS } from '../../src/job/flow-rules.js';
import { groupIdSchema, memberOptionsSchema, retentionSchema } from '../../src/job/job-options.js';
import { namedRecord } from '../../src/named-record.js';
import { patienceIn } from './add-jobs.js';
import { documented } from './documented.js';
import { when } from './group-view.js';
import { invalid, Problem } from './problem.js';
import type { Circumstances } from './route.js';

/** Adds batches and workflows that the bodies of requests describe. */

/** The largest batch of a request. A larger one does not fit into one body. */
const MAX_JOBS = 10_000;

const memberShape = {
  name: z.string(),
  input: z.unknown().optional(),
  options: memberOptionsSchema.optional(),
};

const member = z.strictObject(memberShape).register(documented, {
  id: 'NewMember',
  description: 'A job that is to be added together with others. Its id is made of theirs.',
});

const groupShape = {
  id: groupIdSchema.optional().register(documented, {
    description: 'Adding the same again with the same id is harmless. Default: one for each Idempotency-Key.',
  }),
  retention: retentionSchema.omit({ cancelled: true }).optional().register(documented, {
    description:
      'How long it is kept with its jobs: `completed` if all have completed, else `error`. Default 7 and 30 days.',
  }),
};

/** Schema of a batch in a request's body. */
export const newBatch = z.strictObject({
  ...groupShape,
  jobs: z.array(member).max(MAX_JOBS),
  then: member
    .optional()
    .register(documented, { description: 'A job that runs once, after all jobs of the batch.' }),
  when: when.optional(),
  concurrency: z.int().min(1).max(MAX_SLOTS).optional().register(documented, {
    description: 'How many of its jobs run at a time. Default: no limit beyond that of their kinds.',
  }),
});

/** Schema of a workflow in a request's body. */
export const newWorkflow = z.strictObject({
  ...groupShape,
  jobs: namedRecord(
    z.string(),
    z.strictObject({
      ...memberShape,
      input: z.unknown().optional().register(documented, {
        description:
          'In it, `{"$resultOf": "extract", "path": "rows"}` stands for the result of the job `extract`, or for what is at that path in it.',
      }),
      after: z
        .array(z.string())
        .optional()
        .register(documented, { description: 'The names of the jobs that it waits for.' }),
      when: when.optional(),
    }),
  ).register(documented, {
    description: '1 to 1,000 jobs by their names, of 1 to 100 letters, digits, _ or - each.',
  }),
});

/**
 * Adds a batch.
 *
 * @throws Problem with the path of everything that is wrong, and errors of `RemoteProcessor.addBatch`
 */
export async function addBatch(
  { jobs, then, id, when, ...options }: z.output<typeof newBatch>,
  circumstances: Circumstances,
): Promise<AddedGroup> {
  const { processor, trace: metadata } = circumstances;
  const traced = (job: z.output<typeof member>) => ({ ...job, options: { ...job.options, metadata } });
  const names = [
    ...jobs.map(({ name }, index) => [name, `jobs.${index}.name`] as const),
    ...(then ? [[then.name, 'then.name'] as const] : []),
  ];
  const added = await processor
    .addBatch(jobs.map(traced), {
      ...options,
      ...common(id, circumstances),
      when,
      then: then && traced(then),
    })
    .catch(refused(names, (path) => (/^\d/.test(path) ? `jobs.${path}` : path)));
  return asOnFirstTry(added, circumstances);
}

/**
 * Adds a workflow.
 *
 * @throws Problem with the path of everything that is wrong, and errors of `RemoteProcessor.addWorkflow`
 */
export async function addWorkflow(
  { jobs, id, retention }: z.output<typeof newWorkflow>,
  circumstances: Circumstances,
): Promise<AddedGroup> {
  const { processor, trace: metadata } = circumstances;
  const entries = Object.entries(jobs);
  const traced = entries.map(([key, job]) => [key, { ...job, options: { ...job.options, metadata } }]);
  const names = entries.map(([key, { name }]) => [name, `jobs.${key}.name`] as const);
  const added = await processor
    .addWorkflow({ jobs: Object.fromEntries(traced), retention, ...common(id, circumstances) })
    .catch(refused(names, (path) => path));
  return asOnFirstTry(added, circumstances);
}

function common(id: string | undefined, { jobIds, callerRole, timeLeft }: Circumstances) {
  return { id: id ?? jobIds?.[0], callerRole, patience: patienceIn(timeLeft()) };
}

/**
 * Tells a group as added if an earlier try of this request added it. The group's id shows that, since it was chosen for
 * this request.
 */
function asOnFirstTry(added: AddedGroup, { jobIds }: Circumstances): AddedGroup {
  return added.id === jobIds?.[0] ? { ...added, outcome: 'added' } : added;
}

/**
 * Returns a function that throws an error with paths into the body.
 *
 * @param names the names of the jobs, with their paths
 */
function refused(
  names: readonly (readonly [name: string, path: string])[],
  toPath: (path: string) => string,
) {
  return (error: unknown): never => {
    if (isKind(error, ValidationError))
      throw invalid(error.issues.map(({ path, message }) => ({ path: toPath(path), message })));
    if (!isKind(error, UnknownJobNameError)) throw error;
    const { jobName, message } = error;
    const [, path = 'jobs'] = names.find(([name]) => name === jobName) ?? [];
    throw new Problem('unknown_job_name', { detail: message, issues: [{ path, message }] });
  };
}
