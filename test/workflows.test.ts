import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { supportedVersions } from './supported-versions.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}.github/workflows/`;
const workflows = readdirSync(folder).map((name) => [name, readFileSync(folder + name, 'utf8')] as const);

test.each(workflows)('%s names each action by its commit, with the version beside it', (_, text) => {
  const used = text.split('\n').filter((line) => /^\s*(- )?uses:/.test(line));
  expect(used.length).toBeGreaterThan(0);
  for (const line of used) expect(line).toMatch(/uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test.each(workflows)('%s may read what is in the repository, and nothing more', (_, text) => {
  expect(text).toMatch(/^permissions:\n {2}contents: read\n(?! )/m);
  expect(text.match(/permissions:/g)).toHaveLength(1);
  expect(text).not.toContain('pull_request_target');
});

test.each(['', 'docs/'])('the lock file of ./%s names no registry', (folder) => {
  expect(readFileSync(`${root}${folder}package-lock.json`, 'utf8')).not.toMatch(/"resolved": "http/);
});

test('what docs/versions.md supports is what CI tries, what packages may be installed beside ours, and where functions run', () => {
  const { jobs } = ciSchema.parse(parse(readFileSync(`${folder}ci.yml`, 'utf8')));
  const { engines, peerDependencies } = manifestSchema.parse(
    JSON.parse(readFileSync(`${root}package.json`, 'utf8')),
  );
  const majorsOf = (range: string) => [...range.matchAll(/\^(\d+)/g)].map(([, major]) => major);

  expect(jobs.check.strategy.matrix.node.map(String)).toEqual(supportedVersions('Node.js'));
  expect(engines.node).toMatch(new RegExp(`^>=${supportedVersions('Node.js')[0]}\\.`));
  expect(jobs.mongodb.strategy.matrix.mongodb).toEqual(supportedVersions('MongoDB'));
  expect(majorsOf(peerDependencies.mongodb)).toEqual(supportedVersions('mongodb driver'));
  expect(majorsOf(peerDependencies.zod)).toEqual(supportedVersions('zod'));
  const [lowest, ...others] = supportedVersions('Lambda runtimes');
  expect(readFileSync(`${root}serverless.yml`, 'utf8')).toContain(
    `runtime: ${lowest} # Or ${others.join(', ')}.`,
  );
});

const matrixOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.object({ strategy: z.object({ matrix: z.object(shape) }) });
const ciSchema = z.object({
  jobs: z.object({
    check: matrixOf({ node: z.array(z.int()) }),
    mongodb: matrixOf({ mongodb: z.array(z.string()) }),
  }),
});
const manifestSchema = z.object({
  engines: z.object({ node: z.string() }),
  peerDependencies: z.object({ mongodb: z.string(), zod: z.string() }),
});
