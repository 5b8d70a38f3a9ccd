import { expect, test } from 'vitest';
import { once } from '../../handlers/once.js';

test('it is made at the first call, and kept', async () => {
  let made = 0;
  const get = once(async () => {
    made += 1;
    return {};
  });
  expect(made).toBe(0);

  expect(await get()).toBe(await get());
  expect(made).toBe(1);
});

test('a failure is not kept', () => {
  const outcomes = [() => fail('first'), () => 'second'];
  const get = once(() => outcomes.shift()?.());

  expect(get).toThrow('first');
  expect(get()).toBe('second');
  expect(get()).toBe('second');
});

test('a failure of a promise is not kept, but shared by those who waited for it', async () => {
  const outcomes = [() => fail('first'), () => 'second'];
  const get = once(async () => outcomes.shift()?.());

  const both = await Promise.allSettled([get(), get()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await get()).toBe('second');
});

function fail(message: string): never {
  throw new Error(message);
}
