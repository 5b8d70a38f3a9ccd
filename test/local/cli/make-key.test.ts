import { expect, test } from 'vitest';
import { findKey } from '../../../handlers/http/access.js';
import { readConfig } from '../../../src/config.js';
import { useDatabase } from '../../database.js';
import { useCommandLine } from './command-line.js';

const remote = useCommandLine(useDatabase());

test('make-key makes a key whose entry lets its holder in, each time another', async () => {
  const [one, another] = await Promise.all([
    remote.run(['make-key', 'backend', 'write'], { env: {} }),
    remote.json(['make-key', 'backend', 'write']),
  ]);

  const [, key = ''] = /^key +(\S+)$/m.exec(one.out) ?? [];
  const [, entry = ''] = /^entry +(\S+)$/m.exec(one.out) ?? [];
  const { API_KEYS: keys } = readConfig({ API_KEYS: entry });
  expect(findKey(keys, key)).toMatchObject({ id: 'backend', role: 'write' });
  expect(entry).not.toContain(key);
  expect(another).toEqual({
    key: expect.not.stringContaining(key),
    entry: expect.stringMatching(/^backend:write:/),
  });
});

test('make-key refuses what API_KEYS would', async () => {
  const [id, role] = await Promise.all([
    remote.run(['make-key', 'a:b', 'write']),
    remote.run(['make-key', 'backend', 'owner']),
  ]);

  expect([id.code, role.code]).toEqual([2, 2]);
  expect(id.err).toContain('letters, digits, or any of _ . -');
  expect([id.out, role.out]).toEqual(['', '']);
});
