import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { expect, test } from 'vitest';
import { TwoTries } from '../../handlers/two-tries.js';
import { useLambdaService } from './lambda-service.js';

const lambda = useLambdaService();

test.each([
  ['reset', 'resetsKept'],
  ['dead without a word', 'ignoresKept'],
] as const)('a request whose kept connections are %s is sent by a new one', async (_, how) => {
  const { url: endpoint } = lambda();
  let clients = 0;
  const connect = async () => {
    clients += 1;
    return new LambdaClient({ endpoint, maxAttempts: 1 });
  };
  const tries = new TwoTries(connect, { keptMs: 200, allMs: 60_000 });
  const send = () =>
    tries.send((client, abortSignal) =>
      client.send(new InvokeCommand({ FunctionName: 'f', Payload: '{}' }), { abortSignal }),
    );
  await Promise.all([send(), send(), send()]);
  lambda()[how] = true;

  await send();

  expect(lambda().invocations).toHaveLength(4);
  expect(clients).toBe(2);
});

test('a client that cannot be loaded is loaded again by the next request', async () => {
  let isBroken = true;
  const tries = new TwoTries(async () => {
    if (isBroken) throw new Error('no such package');
    return { destroy: () => {} };
  });
  const sent: string[] = [];
  const send = () => tries.send(async () => sent.push('sent'));

  await expect(send()).rejects.toThrow('no such package');
  isBroken = false;
  await send();

  expect(sent).toEqual(['sent']);
});
