import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = new URL('..', import.meta.url);

test('docs/jobs.md lists every code that an error of ours has', async () => {
  const source = fileURLToPath(new URL('src', root));
  const files = (await readdir(source, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const texts = await Promise.all(files.map((file) => readFile(`${source}/${file}`, 'utf8')));
  const codes = texts.flatMap((text) => [...text.matchAll(/^ {2}readonly code = '(\w+)';/gm)]);

  const page = await readFile(new URL('docs/jobs.md', root), 'utf8');
  const [list = ''] = /Errors have a stable `code`:.*?\n\n/s.exec(page) ?? [];
  const listed = [...list.matchAll(/`(\w+_\w+|conflict|forbidden|snooze)`/g)].map(([, code]) => code);

  expect(codes.length).toBeGreaterThan(10);
  expect(listed.toSorted()).toEqual(codes.map(([, code]) => code).toSorted());
});
