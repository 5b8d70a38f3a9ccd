import { expect, test } from 'vitest';
import { routes } from '../../../handlers/http/routes.js';
import { expectProblem, useApi } from './api.js';

const api = useApi();

/** Every route with no body, as an address. */
const addresses = routes
  .filter(({ bodyExample }) => bodyExample === undefined)
  .map(({ method, path }) => [method, path.replaceAll(/\{\w+\}/g, 'x')] as const);

const strange = [
  'nobody=1',
  '%24where=1',
  '__proto__=1',
  '__proto__[a]=1',
  'constructor=1',
  '=1',
  'toString',
];

test.each(addresses)('%s %s refuses parameters that it does not know', async (method, path) => {
  for (const query of strange) {
    const response = await api.call(`${path}?${query}`, { method, key: 'key-of-admin' });

    const problem = await expectProblem(response, 422, 'validation_failed');
    expect(problem.issues[0]?.message).toMatch(/^Unknown parameter: expected (no parameters|one of )/);
  }
  expect(await api.storedJobs()).toBe(0);
});

test.each(addresses.filter(([method]) => method !== 'GET'))(
  '%s %s refuses a body that says something, and takes an empty one for none',
  async (method, path) => {
    const send = (body: string) => api.call(path, { method, body, key: 'key-of-admin' });

    const { issues } = await expectProblem(await send('{"input":2,"a.b":1}'), 422, 'validation_failed');
    expect(issues.map(({ path }) => path)).toEqual(expect.arrayContaining(['input', 'a.b']));
    await expectProblem(await send('[]'), 400, 'invalid_body');
    await expectProblem(await send('{'), 400, 'invalid_body');
    for (const body of ['', '{}']) {
      const text = await (await send(body)).text();
      expect(text).not.toContain('expected no body');
    }
  },
);

test('a parameter that is repeated is refused', async () => {
  const problem = await expectProblem(await api.call('/v1/jobs/x?wait=1&wait=2'), 422, 'validation_failed');

  expect(problem.issues).toEqual([{ path: 'wait', message: 'expected it once, not 2 times' }]);
});

test.each(['0', '1001', '-1', '1.0', 'ten', ''])('a count of %j is refused', async (count) => {
  const problem = await expectProblem(
    await api.call(`/v1/schedulers/x/preview?count=${count}`),
    422,
    'validation_failed',
  );

  expect(problem.issues).toEqual([{ path: 'count', message: 'expected a whole number from 1 to 1000' }]);
});

test.each(['a/b', '%', '100%', 'a%2Fb', 'ä 🙂', '$where', '__proto__', '?', '..a'])(
  'the id %j in a path is taken as it was written',
  async (id) => {
    await api.processor.addJob('echo', {}, { id });
    await api.processor.addScheduler({ id, type: 'Delay', delay: '1h', jobName: 'echo', input: {} });
    const path = encodeURIComponent(id);

    expect(await (await api.call(`/v1/jobs/${path}`)).json()).toMatchObject({ id });
    expect(await (await api.call(`/v1/jobs/${path}/cancel`, { method: 'POST' })).json()).toMatchObject({
      id,
    });
    expect(
      await (await api.call(`/v1/schedulers/${path}/activate`, { method: 'POST' })).json(),
    ).toMatchObject({
      id,
      active: true,
    });
  },
);
