/** The examples of README.md that are marked `ts run` print what their comments say. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { program } from './programs.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = await readFile(join(root, 'README.md'), 'utf8');
const examples = [...readme.matchAll(/```ts run\n(.*?)```/gs)].map(([, code = '']) => code);

/** What the package's entry points are in the source. */
const entryPoints = {
  'remote-processor': 'src/index.ts',
  'remote-processor/local': 'local/index.ts',
  'remote-processor/opentelemetry': 'src/opentelemetry/index.ts',
};

async function run(code: string): Promise<string[]> {
  const folder = await mkdtemp(join(inject('programsFolder'), 'readme-'));
  try {
    const source = Object.entries(entryPoints).reduce(
      (text, [name, file]) => text.replaceAll(`from '${name}'`, `from ${JSON.stringify(join(root, file))}`),
      code,
    );
    const file = join(folder, 'example.mts');
    await writeFile(file, source);
    const { stdout } = await promisify(execFile)(process.execPath, [await program(relative(root, file))]);
    return stdout
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('{"time"'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('README.md', () => {
  test('has examples', () => {
    expect(examples.length).toBeGreaterThan(0);
  });

  test.each(examples.map((code) => [code]))('example %# prints what its comments say', async (code) => {
    const expected = [...code.matchAll(/console\.log\(.*\)\)?; \/\/ (.*)$/gm)].map(([, comment]) => comment);
    expect(await run(code)).toEqual(expected);
  });
});
