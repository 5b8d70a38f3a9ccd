import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { useDatabase } from '../../database.js';
import { eventually } from '../../eventually.js';
import { useCommandLine } from './command-line.js';
import { startOnTerminal } from './terminal.js';

const commandLine = useCommandLine(useDatabase());
const { run, start, program } = commandLine;

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

test('without a terminal it says so', async () => {
  expect(await run(['watch'])).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('needs a terminal'),
  });
});

test('with --json it writes how everything stands, a line each second', async () => {
  const child = await start(['watch', '--json']);
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  await eventually(() => expect(out.split('\n').length).toBeGreaterThan(2));
  child.kill('SIGTERM');

  expect(JSON.parse(out.split('\n')[0] ?? '')).toMatchObject({
    counts: { queued: { count: 0, isCapped: false } },
    statistics: expect.any(Array),
    queues: [],
    workers: [],
    errors: [],
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test.skipIf(spawnSync('script', ['--version']).status !== 0).each([
  ['q', 'q'],
  ['Ctrl-C', '\u0003'],
])('on a terminal it draws until %s, and leaves it as it was', async (_, key) => {
  const terminal = startOnTerminal([process.execPath, await program(), 'watch'], commandLine.env());
  await eventually(() => expect(terminal.text()).toContain('No worker is running.'));
  terminal.type(key);

  expect(await terminal.exit()).toBe(0);
  expect(terminal.text().startsWith(ENTER)).toBe(true);
  expect(terminal.text().trimEnd().endsWith(LEAVE)).toBe(true);
});
