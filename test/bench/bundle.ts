import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The programs of the processes that a run starts: paths of files. */
export interface Programs {
  readonly worker: string;
  readonly server: string;
}

/**
 * Writes the programs as plain JavaScript, as they run in production: compiling in the process that is measured would
 * cost it time and memory. They lie where the packages of the benchmark are found.
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
