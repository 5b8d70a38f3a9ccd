/** The examples of docs/testing.md that belong to a test runner: that of vitest runs here, that of node:test by node. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, inject, test } from 'vitest';
import { bundledProgram } from '../bundled-program.js';
import { examplesOf, root } from '../documentation.js';

const path = 'docs/testing.md';
const folder = join(inject('programsFolder'), 'testing');

const text = await readFile(join(root, path), 'utf8');
const files = examplesOf({ path, text });
await mkdir(join(folder, path), { recursive: true });
await Promise.all(files.map(({ file, code }) => writeFile(join(folder, file), code)));
await build({
  ...bundledProgram,
  absWorkingDir: root,
  entryPoints: ['jobs.test.ts', 'jobs.node.ts'].map((file) => join(folder, path, file)),
  alias: {
    'remote-processor': join(root, 'src/index.ts'),
    'remote-processor/testing': join(root, 'local/testing/index.ts'),
  },
  external: ['vitest', ...bundledProgram.external],
  outdir: folder,
  outExtension: { '.js': '.mjs' },
});

describe('the example for vitest', async () => {
  await import(join(folder, 'jobs.test.mjs'));
});

test('the example for node:test passes', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--test-reporter=tap',
    join(folder, 'jobs.node.mjs'),
  ]);
  expect(stdout).toMatch(/^# pass 1$/m);
});
