import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import type { JobFactories } from '../handlers/container.js';
import type { Config } from '../src/config.js';
import type { DeclaredScheduler } from '../src/index.js';
import { validateNow } from '../src/validate.js';

/** What a module of jobs exports. */
export interface JobCode {
  /** The kinds of jobs; as a function, they can depend on the settings. */
  readonly jobs: JobFactories | ((config: Config) => JobFactories);
  /** The scheduler items it declares; when there is no such export, none are synchronised. */
  readonly schedules?: readonly DeclaredScheduler[] | undefined;
}

/**
 * The code that workers and schedulers on this machine run: of a module that exports `jobs` and maybe `schedules`, or
 * that of `handlers/jobs.ts` and `handlers/schedules.ts`.
 *
 * @param path of the module, from the current folder
 * @throws an Error that says why the module cannot be loaded; ValidationError when it does not export `jobs`
 */
export async function loadJobCode(path: string | undefined): Promise<JobCode> {
  if (path !== undefined) return validateNow(moduleSchema, await load(path), `What ${path} exports`);
  const { jobs } = await import('../handlers/jobs.js');
  const { schedules } = await import('../handlers/schedules.js');
  return { jobs, schedules };
}

/** The job factories, by these settings. */
export function factoriesOf({ jobs }: JobCode, config: Config): JobFactories {
  return typeof jobs === 'function' ? jobs(config) : jobs;
}

/** What the factories and the items must be, the processor checks. */
const moduleSchema = z.object({
  jobs: z.custom<JobCode['jobs']>(
    (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
    'expected job factories: a list, an object, or a function of the settings that returns them',
  ),
  schedules: z
    .custom<readonly DeclaredScheduler[]>(Array.isArray, 'expected a list of scheduler items')
    .optional(),
});

async function load(path: string): Promise<object> {
  try {
    const module: object = await import(pathToFileURL(resolve(path)).href);
    return { ...module };
  } catch (error) {
    throw new Error(`${path} cannot be loaded: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isTypeScript = 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION';
  return isTypeScript
    ? `this Node.js (${process.version}) does not read TypeScript; set NODE_OPTIONS='--import tsx', or name the compiled file`
    : error.message;
}
