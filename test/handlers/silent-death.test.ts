import { afterEach, expect, test, vi } from 'vitest';
import { createHttpHandler, createSchedulerHandler } from '../../handlers/lambda.js';
import { TcpProxy } from '../chaos/tcp-proxy.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { contextOf, everyMinute, httpEvent } from './events.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();
let proxy: TcpProxy | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await proxy?.close();
});

const headers = { authorization: 'Bearer the-key' };
const functions = {
  scheduler: (options: ReturnType<typeof deploymentOf>) => {
    const handle = createSchedulerHandler(options);
    return () => handle(everyMinute, contextOf(60_000));
  },
  http: (options: ReturnType<typeof deploymentOf>) => {
    const handle = createHttpHandler(options);
    return () => handle(httpEvent('GET', '/v1/jobs', { headers }), contextOf(29_000));
  },
};

test.each([
  ['scheduler', 'broke', { made: 0 }],
  ['scheduler', 'fell silent', { made: 0 }],
  ['http', 'broke', { statusCode: 200 }],
  ['http', 'fell silent', { statusCode: 200 }],
] as const)('the %s whose connections %s in the freeze goes on', async (name, how, answer) => {
  const { hostname, port } = new URL(database.uri);
  proxy = await TcpProxy.start({ host: hostname, port: Number(port) });
  const uri = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
  const invoke = functions[name](deploymentOf(database, lambda(), [echo], { MONGODB_URI: uri }));
  expect(await invoke()).toMatchObject(answer);

  if (how === 'broke') proxy.cut();
  else proxy.silenceAll();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });

  expect(await invoke()).toMatchObject(answer);
});
