import { foundCommand } from './found-command.js';
import type { NeighbourServer } from './neighbour-server.js';
import { freePort, withPrivateServer } from './private-server.js';

/** Redis that keeps nothing on disk, like the embedded MongoDB. */
export const redis: NeighbourServer = {
  title: 'Redis',
  debianPackage: 'redis-server',
  find: () => foundCommand('redis-server'),
  async run(command, work) {
    const port = await freePort();
    const prepare = async (folder: string) => {
      const settings = { bind: '127.0.0.1', port, dir: folder, save: '', appendonly: 'no' };
      return { args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]) };
    };
    return withPrivateServer({ command, readyText: 'Ready to accept connections', prepare }, () =>
      work(`redis://127.0.0.1:${port}`),
    );
  },
};
