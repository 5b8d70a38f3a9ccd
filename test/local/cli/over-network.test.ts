import { expect, test } from 'vitest';
import { overNetwork } from '../../../local/cli/api/over-network.js';

const key = 'the-key';

test.each([
  'http://jobs.example',
  'http://192.168.1.5:3000/dev',
  'http://localhost.evil.example',
  'http://127.0.0.1.evil.example',
  'HTTP://JOBS.EXAMPLE',
])('to %s no key is sent, for it could be read on the way', (address) => {
  expect(() => overNetwork(address, key)).toThrow(/--insecure/);
  expect(() => overNetwork(address, key, true)).not.toThrow();
});

test.each([
  'https://jobs.example',
  'http://localhost:3000',
  'http://127.0.0.1:3000',
  'http://[::1]:3000',
  'http://0x7f.1:3000',
])('to %s it is', (address) => {
  expect(overNetwork(address, key).apiKey).toBe(key);
});
