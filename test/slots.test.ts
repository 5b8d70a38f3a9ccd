import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Slots } from '../src/slots.js';

test('work whose signal fires just as its turn comes is not begun, and the next gets the slot', async () => {
  const slots = new Slots(1);
  const controller = new AbortController();
  let free = () => {};
  const held = new Promise<void>((resolve) => {
    free = resolve;
  });
  const begun: string[] = [];
  const first = slots.use(() => held);
  const second = slots.use(async () => begun.push('second'), controller.signal);
  const third = slots.use(async () => begun.push('third'));
  // Between the end of the first, which passes the slot on, and the turn of the second.
  void held.then(() => controller.abort('too late'));
  free();
  await expect(second).rejects.toBe('too late');
  await Promise.all([first, third]);
  expect(begun).toEqual(['third']);
});

test('however many wait, Node warns of no leak', async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error) => warnings.push(message);
  process.on('warning', note);
  const slots = new Slots(1);
  await Promise.all(Array.from({ length: 20 }, () => slots.use(async () => {})));
  await turnOfEventLoop(); // Node emits warnings later.
  process.off('warning', note);
  expect(warnings).toEqual([]);
});
