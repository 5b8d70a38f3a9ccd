import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const folder = fileURLToPath(new URL('./peers/', import.meta.url));

/** Installs the libraries to compare with, unless they are installed. @throws Error when npm fails */
export async function installPeers(say: (line: string) => void): Promise<void> {
  if (await isInstalled()) return;
  say('Installing what it compares with, once: npm ci in test/bench/peers …');
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  const [code] = await once(npm, 'exit');
  if (code !== 0) throw new Error(`npm ci in test/bench/peers ended with ${code}.`);
}

/** Returns whether npm's own lock file is newer than ours. An older one was written for other versions. */
async function isInstalled(): Promise<boolean> {
  const installed = await stat(`${folder}node_modules/.package-lock.json`).catch(() => undefined);
  const wanted = await stat(`${folder}package-lock.json`);
  return installed !== undefined && installed.mtimeMs >= wanted.mtimeMs;
}

/** Returns the versions of the libraries to compare with, by package. */
export async function peerVersions(): Promise<Record<string, string>> {
  const text = await readFile(`${folder}package.json`, 'utf8');
  return z.object({ dependencies: z.record(z.string(), z.string()) }).parse(JSON.parse(text)).dependencies;
}
