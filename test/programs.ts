import { access, mkdir, mkdtemp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { inject } from 'vitest';
import { bundledProgram } from './bundled-program.js';
import { eventually } from './eventually.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The programs that tests start, from the project's root. */
const entries = [
  'handlers/ensure-indexes.ts',
  'local/cli/main.ts',
  'local/main.ts',
  'local/mongo/main.ts',
  'src/index.ts',
  'test/handlers/container/child.ts',
  'test/handlers/http/app-process.ts',
  'test/local/cli/jobs-module.ts',
  'test/processes/child.ts',
  'test/scheduler/processes/child.ts',
  'test/subprocess/modules/behaviour.subprocess.ts',
  'test/subprocess/modules/ends-by-itself.ts',
] as const;

/** The folder of the compiled programs, for this vitest worker. */
let compiled: Promise<string> | undefined;

/**
 * Returns a program of this project for tests to start as processes. It starts in a fifth of the time that tsx needs.
 * Threads of subprocess jobs work in it. The first test of a run that asks for a program compiles all of them, which
 * takes as long as three of them do one by one.
 *
 * @param entry its source
 * @returns the file for node to run
 */
export async function program(entry: (typeof entries)[number]): Promise<string> {
  compiled ??= compiledOnce();
  return join(await compiled, `${nameOf(entry)}.js`);
}

function nameOf(entry: string): string {
  return entry.replaceAll(/\W/g, '-');
}

/** Compiles the programs, or waits until another vitest worker has. */
async function compiledOnce(): Promise<string> {
  const folder = join(inject('programsFolder'), 'compiled');
  if (await isFirst(`${folder}-begun`)) await compileInto(folder);
  else await eventually(() => access(folder));
  return folder;
}

/** Returns whether no other vitest worker has made this folder before. */
async function isFirst(folder: string): Promise<boolean> {
  return (await mkdir(folder, { recursive: true })) !== undefined;
}

async function compileInto(folder: string): Promise<void> {
  const unfinished = await mkdtemp(`${folder}-`);
  const named = Object.fromEntries(entries.map((entry) => [nameOf(entry), entry]));
  await build({
    ...bundledProgram,
    absWorkingDir: root,
    entryPoints: { ...named, thread: 'src/subprocess/thread.ts' },
    // Not split: then what a program imports on demand from CommonJS, as the AWS SDK, loses its names.
    splitting: false,
    outdir: unfinished,
  });
  await rename(unfinished, folder);
}
