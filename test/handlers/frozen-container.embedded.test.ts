import { afterEach, expect, test } from 'vitest';
import { TcpProxy } from '../chaos/tcp-proxy.js';
import { useDatabase } from '../database.js';
import { fates } from './container/fates.js';
import { useContainers } from './container/worker-container.js';

const database = useDatabase();
const startContainer = useContainers();
let proxy: TcpProxy | undefined;
afterEach(() => proxy?.close());

test('a container whose connections died while it was frozen runs the next invocation as if nothing had been', async () => {
  const { hostname, port } = new URL(database.uri);
  proxy = await TcpProxy.start({ host: hostname, port: Number(port) });
  const container = startContainer({
    MONGODB_URI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
    MONGODB_DATABASE: database.name,
  });
  const producer = database.processor();
  await producer.addJobFactories(fates);
  const add = () => Promise.all([1, 2, 3].map(() => producer.addJob('completes', { secret: '' })));
  await add();
  await container.invoke('request 1');
  await add();

  container.freeze();
  proxy.cut();
  const answer = container.invoke('request 2'); // It finds both when it thaws: the event, and that its sockets died.
  container.thaw();

  expect((await answer).summary).toMatchObject({ claimed: 3, completed: 3, stale: 0 });
  expect(await producer.getJobs({ status: 'completed' })).toHaveLength(6);
  expect(container.lines().filter(({ level }) => level === 'error')).toEqual([]);
});
