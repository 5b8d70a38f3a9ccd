import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

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
