import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { useDatabase } from '../../database.js';
import { useCommandLine } from './command-line.js';

const { run, program } = useCommandLine(useDatabase());

/** What is offered after these words. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const lines = await printed(['complete', '--', ...words]);
  return lines.slice(0, -1).map((line) => line.split('\t')[0] ?? '');
}

/** The lines that a command writes with `console.log`, as the library for completion does. */
async function printed(args: readonly string[]): Promise<string[]> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  onTestFinished(() => log.mockRestore());
  log.mockClear();
  expect(await run(args)).toEqual({ code: 0, out: '', err: '' });
  return log.mock.calls.flatMap(([text]) => String(text).split('\n'));
}

test('commands, options and their values are completed', async () => {
  expect(await offered('sche')).toEqual(['schedules', 'schedule']);
  expect(await offered('schedules', '')).toEqual(
    expect.arrayContaining([
      'list',
      'get',
      'add',
      'update',
      'preview',
      'activate',
      'deactivate',
      'run',
      'remove',
    ]),
  );
  expect(await offered('list', '--')).toEqual(
    expect.arrayContaining(['--status', '--all', '--url', '--json']),
  );
  expect(await offered('list', '--status', '')).toEqual(
    expect.arrayContaining(['queued', 'processing', 'completed', 'cancelled', 'error']),
  );
  expect(await offered('completion', '')).toEqual(['bash', 'zsh', 'fish', 'powershell']);
  expect(await offered('')).not.toContain('complete');
});

test.each(['bash', 'zsh', 'fish'])('there is a script for %s that asks this program', async (shell) => {
  const lines = await printed(['completion', shell]);
  expect(lines.join('\n')).toContain('remote-processor complete --');
});

test('bash completes by its script', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'remote-processor-completion-'));
  const command = join(folder, 'remote-processor');
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${await program()}" "$@"\n`);
  await chmod(command, 0o755);
  // Of the package bash-completion, which the script needs: what it does where no word has = or : in it.
  const script = `
    _get_comp_words_by_ref() { words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD cur=\${COMP_WORDS[$COMP_CWORD]}; }
    source <(remote-processor completion bash)
    COMP_WORDS=(remote-processor list --sta) COMP_CWORD=2
    $(complete -p remote-processor | sed 's/.*-F \\([^ ]*\\).*/\\1/') 2> /dev/null
    printf '%s\\n' "\${COMPREPLY[@]}"`;

  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    env: { PATH: `${folder}:${process.env.PATH}` },
  });
  await rm(folder, { recursive: true });

  expect(stdout.trim()).toMatch(/^--status/);
});
