import { build } from 'esbuild';
import { remoteProcessor } from 'remote-processor/esbuild';

// A folder for each function, with its bundle and what the bundle loads.
for (const name of ['worker', 'scheduler', 'http', 'indexes']) {
  await build({
    entryPoints: [`src/${name}.ts`],
    outdir: `dist/${name}`,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    target: 'node20',
    splitting: true,
    minify: true,
    external: ['@aws-sdk/*'], // Lambda's runtime has it.
    plugins: [remoteProcessor()],
  });
}
