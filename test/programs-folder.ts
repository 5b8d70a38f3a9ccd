import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** See programs.ts. */
    programsFolder: string;
  }
}

/** Makes once per run the folder for compiled programs, below the root, where their packages are found. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const parent = fileURLToPath(new URL('../.esbuild', import.meta.url));
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'programs-'));
  project.provide('programsFolder', folder);
  return () => rm(folder, { recursive: true });
}
