import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundledProgram } from '../bundled-program.js';

/** The programs of a member and of the database, and beside them the files that threads run (see src/subprocess). */
const entries = {
  program: new URL('./child/main.ts', import.meta.url),
  server: new URL('../../local/mongo/main.ts', import.meta.url),
  thread: new URL('../../src/subprocess/thread.ts', import.meta.url),
  'chaos-job.subprocess': new URL('./child/chaos-job.subprocess.ts', import.meta.url),
};

/**
 * The beginning of a path from which node finds piscina, which cannot be bundled: it starts threads from its own file.
 */
const PLACE = fileURLToPath(new URL('../../node_modules/.chaos-', import.meta.url));

/** Programs, each in one file. */
export interface Bundle {
  /** The program of a member. */
  readonly program: string;
  /** The embedded MongoDB. */
  readonly server: string;
}

/** Calls `work` with the compiled programs of the processes, so that each of the many starts costs little. */
export async function withBundle<Result>(work: (bundle: Bundle) => Promise<Result>): Promise<Result> {
  const outdir = await mkdtemp(PLACE);
  try {
    await writeFile(join(outdir, 'package.json'), '{ "type": "module" }');
    await build({
      entryPoints: Object.fromEntries(
        Object.entries(entries).map(([name, url]) => [name, fileURLToPath(url)]),
      ),
      outdir,
      ...bundledProgram,
    });
    return await work({ program: join(outdir, 'program.js'), server: join(outdir, 'server.js') });
  } finally {
    await rm(outdir, { recursive: true });
  }
}
