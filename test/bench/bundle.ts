import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The paths of the programs that a run starts as processes. */
export interface Programs {
  readonly worker: string;
  readonly server: string;
}

/**
 * Writes the programs as plain JavaScript, as in production. Compiling in the measured process would cost time and
 * memory. The files are in a folder from which node finds the packages of the benchmark.
 */
export async function buildPrograms(): Promise<Programs> {
  await build({
    entryPoints: { worker: pathOf('./child/main.ts'), server: pathOf('./child/server.ts') },
    outdir: pathOf('./peers/node_modules/.programs'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  return {
    worker: pathOf('./peers/node_modules/.programs/worker.mjs'),
    server: pathOf('./peers/node_modules/.programs/server.mjs'),
  };
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
