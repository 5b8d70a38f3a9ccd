import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import type { JobFactories } from '../handlers/container.js';
import { jobsOption, schedulesOption } from '../handlers/option-schemas.js';
import type { Config } from '../src/config.js';
import type { DeclaredScheduler, JobFactory } from '../src/index.js';
import { validateNow } from '../src/validate.js';

/** The exports of a module of jobs. */
export interface JobCode {
  /** The job factories, or a function that returns them for the settings. */
  readonly jobs: JobFactories | ((config: Config) => JobFactories);
  /** The scheduler items that the module declares. Without this export, none are synchronised. */
  readonly schedules?: readonly DeclaredScheduler[] | undefined;
}

/**
 * Loads the code that workers and schedulers on this machine run. With a path, reads a module that exports `jobs` and
 * optionally `schedules`. Without a path, reads `handlers/jobs.ts` and `handlers/schedules.ts`.
 *
 * @param path of the module, relative to the current folder
 * @throws an Error that says why the module cannot be loaded; ValidationError when it does not export `jobs`
 */
export async function loadJobCode(path: string | undefined): Promise<JobCode> {
  if (path !== undefined) return validateNow(moduleSchema, await load(path), `What ${path} exports`);
  const { jobs } = await import('../handlers/jobs.js');
  const { schedules } = await import('../handlers/schedules.js');
  return { jobs, schedules };
}

/** Warning of a program without the option `--jobs`. */
export const NO_MODULE =
  'Without --jobs, this runs only the jobs that come with remote-processor (handlers/jobs.ts). Name the module of your own jobs with --jobs';

/** Returns the names of job factories. */
export function namesOf(factories: JobFactories): string[] {
  return Object.values<JobFactory>(factories).map(({ name }) => name);
}

/** Returns the job factories for these settings. */
export function factoriesOf({ jobs }: JobCode, config: Config): JobFactories {
  return typeof jobs === 'function' ? jobs(config) : jobs;
}

/** Checks the outer form only, because the processor checks the factories and the items. */
const moduleSchema = z.object({
  jobs: jobsOption<JobCode['jobs']>(),
  schedules: schedulesOption.optional(),
});

async function load(path: string): Promise<object> {
  try {
    if (/\.[cm]?tsx?$/.test(path)) await readTypeScript();
    const module: object = await import(pathToFileURL(resolve(path)).href);
    return { ...module };
  } catch (error) {
    throw new Error(`${path} cannot be loaded: ${reasonOf(error)}`, { cause: error });
  }
}

/** Makes this process able to read TypeScript, if tsx is installed. */
async function readTypeScript(): Promise<void> {
  const tsx = await import(import.meta.resolve('tsx/esm/api')).catch(() => undefined);
  tsxSchema.safeParse(tsx).data?.register();
}

const tsxSchema = z.object({ register: z.custom<() => void>((value) => typeof value === 'function') });

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isTypeScript = 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION';
  return isTypeScript
    ? `this Node.js (${process.version}) does not read TypeScript; install tsx (npm i -D tsx), or name the compiled file`
    : error.message;
}
