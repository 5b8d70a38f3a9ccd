import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { EJSON } from 'bson';
import type { TestDatabase } from '../../database.js';
import { program } from '../../programs.js';
import type { Setting } from './setting.js';

/**
 * Runs a process until it ends, and aborts the transaction that it leaves open, as the server would after a minute.
 *
 * @returns true if it was killed, false if it ended by itself
 * @throws Error if it failed
 */
export async function run(
  { uri, name: databaseName, client }: TestDatabase,
  setting: Omit<Setting, 'uri' | 'databaseName'>,
): Promise<boolean> {
  const file = await program('test/scheduler/processes/child.ts');
  const child = spawn(process.execPath, [file, JSON.stringify({ ...setting, uri, databaseName })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const sessions = linesOf(await text(child.stdout)).map((line) => EJSON.parse(line));
  const [code, signal]: unknown[] = await exit;
  // Without ids the command would end everybody's sessions.
  if (sessions.length > 0) await client.db('admin').command({ killSessions: sessions });
  if (signal === 'SIGKILL') return true;
  if (code === 0) return false;
  throw new Error(`The process ended with ${code ?? signal}.`);
}

function linesOf(output: string): string[] {
  return output.split('\n').filter((line) => line !== '');
}
