import { randomBytes } from 'node:crypto';
import { access, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { inject } from 'vitest';
import { bundledProgram } from './bundled-program.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The programs of this vitest worker, by entry. */
const programs = new Map<string, Promise<string>>();

/**
 * Returns a program of this project for tests to start as processes. It is compiled once per run into one file, and
 * starts in a fifth of the time that tsx needs. Threads of subprocess jobs work in it.
 *
 * @param entry its source, from the project's root
 * @returns the file for node to run
 */
export function program(entry: string): Promise<string> {
  const known = programs.get(entry) ?? compile(entry);
  programs.set(entry, known);
  return known;
}

async function compile(entry: string): Promise<string> {
  const folder = join(inject('programsFolder'), entry.replaceAll(/\W/g, '-'));
  if (!(await exists(folder))) await compileInto(folder, entry);
  return join(folder, 'program.js');
}

/** Compiles a program. Several vitest workers may do so at once, and the first one wins. */
async function compileInto(folder: string, entry: string): Promise<void> {
  const own = `${folder}-${randomBytes(6).toString('hex')}`;
  await build({
    absWorkingDir: root,
    entryPoints: { program: entry, thread: 'src/subprocess/thread.ts' },
    outdir: own,
    ...bundledProgram,
  });
  await rename(own, folder).catch(async (error: unknown) => {
    if (!(await exists(folder))) throw error;
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
