import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Calls `work` with the program of the processes in one file, so that each of the many starts costs little. */
export async function withBundle<Result>(
  work: (file: string) => Promise<Result>,
  program = new URL('./child/main.ts', import.meta.url),
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'chaos-'));
  const outfile = join(folder, 'child.mjs');
  try {
    await build({
      entryPoints: [fileURLToPath(program)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
    });
    return await work(outfile);
  } finally {
    await rm(folder, { recursive: true });
  }
}
