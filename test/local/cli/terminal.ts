import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A program on a pseudo terminal of 80 columns and 24 lines. */
export interface Terminal {
  /** Returns everything that it wrote. */
  text(): string;
  type(keys: string): void;
  /** Resolves to its exit code. */
  exit(): Promise<number | null>;
}

/**
 * Starts a program with `script` (util-linux), which gives it a pseudo terminal. The program is killed after the test.
 */
export function startOnTerminal(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  const line = `stty rows 24 cols 80; exec ${command.map((word) => `'${word}'`).join(' ')}`;
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    env: { ...env, TERM: 'xterm-256color' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  return {
    text: () => text,
    type: (keys) => void child.stdin.write(keys),
    async exit() {
      const [code] = await exited;
      return typeof code === 'number' ? code : null;
    },
  };
}
