import * as z from 'zod';
import { type Issue, type JobStatus, type RemoteProcessor, ValidationError } from '../../src/index.js';
import { addJobDataSchema } from '../../src/job/job-options.js';
import { toIssues } from '../../src/validate.js';
import { Problem } from './problem.js';

const bodySchema = z.strictObject({
  name: z.string(),
  input: z.unknown().optional(),
  options: addJobDataSchema
    .refine(({ id }) => id !== '.' && id !== '..', {
      path: ['id'],
      message: "expected an id other than '.' and '..', which have no address",
    })
    .optional(),
});

/** What became of a request to add a job. */
export interface AddedJob {
  readonly id: string;
  /** That of the job which was there before, when the id or the unique key was known. */
  readonly status: JobStatus;
  /** Whether it can run at once. */
  readonly due: boolean;
}

/**
 * Adds the job that the body of a request describes.
 *
 * @throws Problem with the path of everything that is wrong, and what `RemoteProcessor.addJob` throws
 */
export async function addJob(processor: RemoteProcessor, body: object): Promise<AddedJob> {
  const result = bodySchema.safeParse(body);
  if (!result.success) throw invalid(toIssues(result.error));
  const { name, input, options = {} } = result.data;
  const id = await processor.addJob(name, input, options).catch(refuseInput);
  const mayBeOld = options.id !== undefined || options.uniqueKey !== undefined;
  const status = mayBeOld ? (await processor.getJob(id))?.status : undefined;
  return { id, status: status ?? 'queued', due: isDue(options) };
}

/** The options have been validated here: what the processor finds invalid then is the input. */
function refuseInput(error: unknown): never {
  if (!(error instanceof ValidationError)) throw error;
  throw invalid(
    error.issues.map(({ path, message }) => ({ path: path === '' ? 'input' : `input.${path}`, message })),
  );
}

function invalid(issues: readonly Issue[]): Problem {
  const detail = issues
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
    .join('; ');
  return new Problem('validation_failed', { detail, issues });
}

/** By this machine's clock, which is good enough to decide whether a kick is worth while. */
function isDue({ runAt, delay = 0 }: z.output<typeof addJobDataSchema>): boolean {
  return runAt === undefined ? delay === 0 : runAt.getTime() <= Date.now();
}
