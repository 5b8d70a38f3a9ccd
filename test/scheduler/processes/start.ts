import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Setting } from './work.js';

/** The program of a process, to be bundled. */
export const program = new URL('./child.ts', import.meta.url);

/** Starts a process. */
export function start(bundle: string, setting: Setting): ChildProcess {
  return spawn(process.execPath, [bundle, JSON.stringify(setting)], { stdio: ['pipe', 'ignore', 'inherit'] });
}

/** True when it was killed, false when it came to its end. @throws Error when it failed */
export async function wasKilled(child: ChildProcess): Promise<boolean> {
  const [code, signal]: unknown[] = await once(child, 'exit');
  if (signal === 'SIGKILL') return true;
  if (code === 0) return false;
  throw new Error(`The process ended with ${code ?? signal}.`);
}
