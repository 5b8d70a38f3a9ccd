import { expect, test } from 'vitest';
import { clockFinding } from '../../../local/cli/doctor/check-clock.js';
import { replicaSetFinding, versionFinding } from '../../../local/cli/doctor/check-server.js';

test('a clock that is off is a warning: jobs go by the clock of the database', () => {
  expect(clockFinding(1000, 50)).toMatchObject({ status: 'ok' });
  expect(clockFinding(2500, 1000)).toMatchObject({ status: 'ok' });
  expect(clockFinding(600_000, 50)).toMatchObject({
    status: 'warning',
    detail: "this machine's clock is 10m behind",
  });
  expect(clockFinding(-600_000, 50)).toMatchObject({
    status: 'warning',
    detail: "this machine's clock is 10m ahead",
  });
});

test('a server that is too old, or alone, is a failure', () => {
  expect(versionFinding('5.0.31')).toMatchObject({ status: 'failure', fix: 'Upgrade it to 6.0 or later' });
  expect(versionFinding('6.0.0')).toMatchObject({ status: 'ok' });
  expect(versionFinding('10.1.2')).toMatchObject({ status: 'ok' });
  expect(replicaSetFinding(false)).toMatchObject({ status: 'failure' });
  expect(replicaSetFinding(true)).toMatchObject({ status: 'ok' });
});
