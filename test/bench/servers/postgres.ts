import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { foundCommand } from './found-command.js';
import type { NeighbourServer } from './neighbour-server.js';
import { freePort, withPrivateServer } from './private-server.js';

const runFile = promisify(execFile);

/** The folder where Debian puts the programs of each version. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** PostgreSQL that does not wait for the disk, because the other databases do not either. */
export const postgres: NeighbourServer = {
  title: 'PostgreSQL',
  debianPackage: 'postgresql',
  async find() {
    const versions = await readdir(DEBIAN_FOLDER).catch(() => []);
    return foundCommand(
      'postgres',
      versions
        .toSorted((a, b) => Number(b) - Number(a))
        .map((version) => join(DEBIAN_FOLDER, version, 'bin')),
    );
  },
  async run(command, work) {
    const port = await freePort();
    const password = randomBytes(16).toString('hex');
    const prepare = async (folder: string) => {
      const user = await userToRunAs();
      const options = { ...user, cwd: folder, env: { ...process.env, LC_ALL: 'C' } };
      const data = join(folder, 'data');
      const passwordFile = join(folder, 'password');
      await writeFile(passwordFile, password, { mode: 0o600 });
      if (user) await Promise.all([folder, passwordFile].map((path) => chown(path, user.uid, user.gid)));
      const create = ['--pgdata', data, '--username', 'bench', '--auth', 'scram-sha-256', '--no-sync'];
      await runFile(join(dirname(command), 'initdb'), [...create, '--pwfile', passwordFile], options);
      const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: folder, fsync: 'off' };
      const set = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      return { args: ['-D', data, '-p', String(port), ...set], options };
    };
    const readyText = 'database system is ready to accept connections';
    return withPrivateServer({ command, readyText, prepare }, () =>
      work(`postgres://bench:${password}@127.0.0.1:${port}/postgres`),
    );
  },
};

/** Returns the user that Debian's package makes for PostgreSQL, which refuses to run as root. */
async function userToRunAs(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = await Promise.all(['-u', '-g'].map((option) => runFile('id', [option, 'postgres'])));
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
}
