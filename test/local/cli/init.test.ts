/** `init` writes a project. `test/docs.test.ts` compiles it, and `test/package.test.ts` installs it. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { bundledProgram } from '../../bundled-program.js';
import { useDatabase } from '../../database.js';
import { root } from '../../documentation.js';
import { useCommandLine } from './command-line.js';

const remote = useCommandLine(useDatabase());
const parent = join(inject('programsFolder'), 'init');

const common = [
  '.gitignore',
  'README.md',
  'build.mjs',
  'package.json',
  'src/http.ts',
  'src/indexes.ts',
  'src/jobs.ts',
  'src/scheduler.ts',
  'src/worker.ts',
  'test/jobs.test.ts',
  'tsconfig.json',
];

test.each([
  ['serverless', ['serverless.yml']],
  ['cdk', ['app.ts', 'cdk.json']],
])('init --with %s writes a project with the name of its folder', async (tool, own) => {
  const folder = join(parent, tool, '2 Shop_Jobs!');
  const { code, out, err } = await remote.run(['init', folder, '--with', tool]);
  expect(code).toBe(0);
  expect(err).toContain(`cd '${folder}' && npm install && npm test && npm start`);

  const files = [...common, ...own].toSorted();
  expect(out.trim().split('\n')).toEqual(files);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  expect(texts.join('\n')).not.toContain('my-jobs');
  expect(JSON.parse(texts[files.indexOf('package.json')] ?? '')).toMatchObject({
    name: 'shop-jobs',
    dependencies: { 'remote-processor': expect.stringMatching(/^\^\d+\.\d+\.\d+/) },
  });
});

test('the command that enters the folder is one that a shell understands', async () => {
  const folder = join(parent, "Ada's & Bob's");
  const { err } = await remote.run(['init', folder]);
  const [, enter = ''] = /Next: (cd .*?) && npm install/s.exec(err) ?? [];
  const { stdout } = await promisify(execFile)('sh', ['-c', `${enter} && pwd`]);
  expect(stdout.trim()).toBe(folder);
});

const template = z.object({
  functions: z.record(z.string(), z.object({ role: z.string() })),
  resources: z.object({
    Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.unknown() })),
  }),
});

test('each function of its serverless.yml has a role of its own, which may only what it needs', async () => {
  const text = await readFile(join(root, 'local/cli/project/serverless/serverless.yml'), 'utf8');
  const { functions, resources } = template.parse(parse(text, { logLevel: 'silent', merge: true }));
  const roles = Object.values(functions).map(({ role }) => role);
  expect(new Set(roles).size).toBe(4);
  const made = Object.entries(resources.Resources);
  const namesOf = (type: string) => made.filter(([, { Type }]) => Type === type).map(([name]) => name);
  expect(namesOf('AWS::IAM::Role').toSorted()).toEqual(roles.toSorted());
  expect(namesOf('AWS::CloudWatch::Alarm')).toHaveLength(4);
  const permissions = JSON.stringify(made.filter(([name]) => roles.includes(name)));
  expect(permissions).not.toMatch(/"(Action|Resource)":"\*"|:\*"\]/);
});

test('its test passes', async () => {
  const folder = join(parent, 'tested');
  expect(await remote.json(['init', folder])).toMatchObject({
    folder,
    files: [...common, 'serverless.yml'].toSorted(),
  });
  await build({
    ...bundledProgram,
    entryPoints: [join(folder, 'test/jobs.test.ts')],
    alias: {
      'remote-processor': join(root, 'src/index.ts'),
      'remote-processor/testing': join(root, 'local/testing/index.ts'),
    },
    tsconfig: join(root, 'tsconfig.json'),
    outfile: join(folder, 'test.mjs'),
  });
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--test-reporter=tap',
    join(folder, 'test.mjs'),
  ]);
  expect(stdout).toMatch(/^# pass 2$/m);
});

test('init refuses a folder that is not empty, or a file, and changes nothing', async () => {
  const folder = join(parent, 'mine');
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'package.json');
  await writeFile(file, '{}');

  const [full, ofFile, unknown] = await Promise.all([
    remote.run(['init', folder]),
    remote.run(['init', file, '--json']),
    remote.run(['init', join(parent, 'none'), '--with', 'magic']),
  ]);

  expect([full.code, ofFile.code, unknown.code]).toEqual([2, 2, 2]);
  expect(full.err).toContain(`${folder} is not empty: name a new folder, or an empty one`);
  expect(JSON.parse(ofFile.err)).toMatchObject({ error: { code: 'folder_not_empty' } });
  expect(unknown.err).toContain('serverless, cdk');
  expect(await readdir(folder)).toEqual(['package.json']);
  expect(await readFile(file, 'utf8')).toBe('{}');
  await expect(readdir(join(parent, 'none'))).rejects.toThrow('ENOENT');
});
