import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { z } from 'zod';

const projectRoot = fileURLToPath(new URL('..', import.meta.url));
/** The program of the Serverless Framework. */
export const serverless = createRequire(import.meta.url).resolve('serverless/bin/serverless.js');
const timeout = 170_000;

export const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string().transform((id) => [id]), z.array(z.string())]).default([]),
});
const templateSchema = z.object({ Resources: z.record(z.string(), resourceSchema) });

export type Resource = z.output<typeof resourceSchema>;

/** The output of `serverless package`. */
export interface Packaged {
  readonly resources: Readonly<Record<string, Resource>>;
  /** The template and the other output of serverless, as one text. */
  readonly text: string;
  /** serverless.yml with its variables resolved. */
  readonly state: string;
  /** Each function's package size in bytes, and its files. */
  readonly packages: Readonly<
    Record<string, { readonly size: number; readonly files: Record<string, Uint8Array> }>
  >;
  remove(): Promise<void>;
}

/**
 * Runs `serverless package` without an AWS account, with these environment variables and parameters of serverless.yml.
 */
export async function packageFunctions(
  env: Readonly<Record<string, string>>,
  params: Readonly<Record<string, string>> = {},
): Promise<Packaged> {
  const folder = await mkdtemp(join(tmpdir(), 'remote-processor-package-'));
  const remove = () => rm(folder, { recursive: true });
  try {
    await runServerless(folder, env, params);
    return { ...(await readPackaged(folder)), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Packages into a folder, in which are also the temporary files that serverless leaves behind. */
async function runServerless(
  folder: string,
  env: Readonly<Record<string, string>>,
  params: Readonly<Record<string, string>>,
): Promise<void> {
  const workFolder = `.esbuild/test-${process.pid}`;
  const given = Object.entries({ workFolder, ...params }).flatMap(([name, value]) => [
    '--param',
    `${name}=${value}`,
  ]);
  const temporary = join(folder, 'tmp');
  await mkdir(temporary);
  await promisify(execFile)(
    process.execPath,
    [serverless, 'package', '--package', join(folder, 'package'), ...given],
    { cwd: projectRoot, env: { ...plainEnv(), TMPDIR: temporary, ...env }, timeout },
  );
}

async function readPackaged(folder: string): Promise<Omit<Packaged, 'remove'>> {
  const read = (name: string) => readFile(join(folder, 'package', name));
  const template = (await read('cloudformation-template-update-stack.json')).toString();
  const state = (await read('serverless-state.json')).toString();
  return {
    resources: templateSchema.parse(JSON.parse(template)).Resources,
    text: template + state,
    state,
    packages: {
      scheduler: unpack(await read('scheduler.zip')),
      worker: unpack(await read('worker.zip')),
      http: unpack(await read('http.zip')),
      ensureIndexes: unpack(await read('ensureIndexes.zip')),
    },
  };
}

/** Writes a package's files to an empty folder outside of this project, as Lambda would. Returns the folder. */
export async function install(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'remote-processor-function-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/**
 * Invokes the handler of an installed package once, in plain Node, and returns its result. @param file from the folder
 */
export async function invoke(
  folder: string,
  name: string,
  event: unknown,
  env: Readonly<Record<string, string>>,
  file = `handlers/${name}.mjs`,
) {
  const script = `
    import { handler } from './${file}';
    const context = { functionName: '${name}', awsRequestId: 'request', getRemainingTimeInMillis: () => 60_000 };
    const result = await handler(${JSON.stringify(event)}, context);
    console.log('\\n' + JSON.stringify(result));
    process.exit();`;
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    env: { ...plainEnv(), ...env },
  });
  const result: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  return result;
}

function unpack(zip: Uint8Array) {
  return { size: zip.length, files: unzipSync(zip) };
}

/** Returns an environment without the account and settings of the person who runs the tests. */
function plainEnv(): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: tmpdir(), AWS_EC2_METADATA_DISABLED: 'true' };
}
