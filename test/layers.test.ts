/**
 * Which part of the code may know which. That no files import each other in a circle is a rule of the linter
 * (`noImportCycles` in biome.json), which tests obey as well.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The jobs, the threads that run them, and what is told of them. */
const jobs = ['job', 'subprocess', 'events', 'jobs-ready'];

/**
 * The folders and files of src from the top to the ground. Each imports only what stands in a line below its own, types
 * included. A new one is put into the lowest line that it fits into.
 */
const layers: readonly (readonly string[])[] = [
  ['index', 'opentelemetry'],
  ['processor'],
  ['collections', 'former-names'],
  ['alert'],
  ['verdict'],
  ['worker'],
  ['audit', 'failure', 'flow', 'group', 'mark', 'operation', 'queue', 'scheduler', 'statistics', 'step'],
  ['newest-first'],
  [...jobs, 'config'],
  ['idempotency', 'log-level', 'page-filter', 'require-zod', 'sign-in'],
  ['mongo', 'validate'],
  ['errors'],
  ['brand', 'issues', 'pino-logger', 'sign-webhook', 'silent-logger'],
  ['access', 'alert-format', 'backoff', 'batches-of', 'cut-text', 'dot-segment', 'duration'],
  [
    'is-error',
    'defined-of',
    'job-rejections',
    'literal-pattern',
    'log',
    'named-record',
    'processor-name',
    'slots',
    'storable-text',
  ],
];

interface Import {
  readonly file: string;
  readonly imported: string;
}

test('what stands lower in src does not import what stands higher, or beside it', async () => {
  const within = (await imports()).filter(({ file, imported }) => isOfSrc(file) && isOfSrc(imported));
  expect(within.length).toBeGreaterThan(500);
  expect(within.filter(isWrong)).toEqual([]);
});

test('src imports neither handlers nor local, and handlers do not import local', async () => {
  const tops = ['local', 'handlers', 'src'];
  const level = (file: string) => tops.findIndex((top) => file.startsWith(`${top}/`));
  const outward = (await imports()).filter(({ file, imported }) => level(imported) < level(file));
  expect(outward).toEqual([]);
});

test.each([
  ['src/mongo/by-index.ts', 'src/job/job.ts'],
  ['src/job/define-job.ts', 'src/processor.ts'],
  ['src/scheduler/add-item.ts', 'src/queue/queues.ts'],
  ['src/job/job.ts', 'src/a-new-folder/file.ts'],
])('%s may not import %s', (file, imported) => {
  expect(isWrong({ file, imported })).toBe(true);
});

function isWrong({ file, imported }: Import): boolean {
  const [from, to] = [partOf(file), partOf(imported)];
  return from !== to && !(levelOf(to) > levelOf(from));
}

/** The folder of src, or the file that stands in none. Those of the jobs count as one. */
function partOf(file: string): string {
  const [, name = ''] = file.replace(/\.tsx?$/, '').split('/');
  return jobs.includes(name) ? 'job' : name;
}

/** NaN for what has no layer yet: it may neither import nor be imported. */
function levelOf(part: string): number {
  const level = layers.findIndex((layer) => layer.includes(part));
  return level < 0 ? Number.NaN : level;
}

function isOfSrc(file: string): boolean {
  return file.startsWith('src/');
}

/** Imports of our own files, of types and on demand as well. */
async function imports(): Promise<Import[]> {
  const files = await Promise.all(['src', 'handlers', 'local'].map(filesOf));
  return (await Promise.all(files.flat().map(importsOf))).flat();
}

async function filesOf(folder: string): Promise<string[]> {
  const files = await readdir(join(root, folder), { recursive: true });
  return files.filter((file) => /\.tsx?$/.test(file)).map((file) => join(folder, file));
}

async function importsOf(file: string): Promise<Import[]> {
  const code = (await readFile(join(root, file), 'utf8')).replaceAll(/\/\*.*?\*\//gs, '');
  const named = code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g);
  return [...named].map(([, name = '']) => ({
    file,
    imported: join(file, '..', name).replace(/\.js$/, '.ts'),
  }));
}
