import { expect, test } from 'vitest';
import { Slots } from '../src/slots.js';

const never = new AbortController().signal;

test('work whose signal fires just as its turn comes is not begun, and the next gets the slot', async () => {
  const slots = new Slots(1);
  const controller = new AbortController();
  let free = () => {};
  const held = new Promise<void>((resolve) => {
    free = resolve;
  });
  const begun: string[] = [];
  const first = slots.use(never, () => held);
  const second = slots.use(controller.signal, async () => begun.push('second'));
  const third = slots.use(never, async () => begun.push('third'));
  // Between the end of the first, which passes the slot on, and the turn of the second.
  void held.then(() => controller.abort('too late'));
  free();
  await expect(second).rejects.toBe('too late');
  await Promise.all([first, third]);
  expect(begun).toEqual(['third']);
});
