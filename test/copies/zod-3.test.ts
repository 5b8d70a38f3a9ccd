/** A project may have zod 3 as its own, installed with `--legacy-peer-deps`. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, inject, test } from 'vitest';
import { bundledProgram } from '../bundled-program.js';

const entryPoints = {
  core: 'src/index.ts',
  lambda: 'handlers/lambda.ts',
  cdk: 'handlers/cdk/index.ts',
  local: 'local/index.ts',
  opentelemetry: 'src/opentelemetry/index.ts',
  testing: 'local/testing/index.ts',
  'command-line': 'local/cli/main.ts',
};

test('zod 3 is refused by whatever is imported, with both versions, before anything else fails', async () => {
  const outdir = join(inject('programsFolder'), 'zod-3');
  await build({
    ...bundledProgram,
    absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
    entryPoints,
    alias: { zod: 'zod-3' },
    packages: 'external',
    outdir,
    outExtension: { '.js': '.mjs' },
  });
  for (const entry of Object.keys(entryPoints))
    await expect(import(join(outdir, `${entry}.mjs`)), entry).rejects.toMatchObject({
      code: 'validation_failed',
      message: expect.stringContaining('works with zod 4 from 4.2 on, not with 3 or earlier'),
    });
});
