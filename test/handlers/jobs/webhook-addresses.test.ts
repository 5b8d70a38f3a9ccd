import { expect, test } from 'vitest';
import { type AddressRule, anyAddress, isPublicAddress } from '../../../handlers/jobs/webhook/addresses.js';
import { webhook } from '../../../handlers/jobs/webhook.js';
import { useDatabase } from '../../database.js';
import { useReceiver } from './receiver.js';

const database = useDatabase();
const receiver = useReceiver();

async function attempt(url: string, mayConnectTo: AddressRule) {
  const processor = database.processor();
  await processor.addJobFactory(webhook({ secret: undefined, mayConnectTo }));
  const id = await processor.addJob('webhook', { url, body: {}, timeout: '5s' });
  await processor.processNextJob();
  const job = await processor.getJob(id);
  return { status: job?.status, error: job?.errors[0]?.message };
}

/** Ways to write 127.0.0.1, or to get there by a name. */
const loopbackHosts = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '%31%32%37.0.0.1',
  '①②⑦.0.0.1',
  '0.0.0.0',
  '0',
  'localhost',
  'LOCALHOST',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
];

test.each(loopbackHosts)('nothing is sent to %s, and it is for good', async (host) => {
  const job = await attempt(`http://${host}:${receiver().port}/`, isPublicAddress);

  expect(job.status).toBe('error');
  expect(job.error).toMatch(/^Refused to connect to .* is not a public address/);
  expect(receiver().received).toEqual([]);
});

test.each([
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '168.63.129.16',
  '192.80.8.124',
  '100.100.100.200',
  '192.0.0.192',
  '[fd20:ce::254]',
  '[::ffff:168.63.129.16]',
  '[64:ff9b::168.63.129.16]',
  '[64:ff9b:1::a9fe:a9fe]',
  '[2002:a9fe:a9fe::1]',
  '[2002:a83f:8110::]',
  '[ff02::1]',
])('nothing is sent to %s', async (host) => {
  expect(await attempt(`http://${host}/`, isPublicAddress)).toMatchObject({ status: 'error' });
});

test.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'])(
  'with the setting, %s is sent to',
  async (host) => {
    expect(await attempt(`http://${host}:${receiver().port}/`, anyAddress)).toEqual({ status: 'completed' });
  },
);

/** The receiver counts as public; all else is as it is. */
const receiverIsPublic: AddressRule = (address) => address === '127.0.0.1' || isPublicAddress(address);

test.each(['127.0.0.2', '2130706434', '[::1]', '[::ffff:127.0.0.2]', '169.254.169.254'])(
  'a redirect to %s is not followed, and it is for good',
  async (host) => {
    receiver().answer = (response) => response.writeHead(303, { location: `http://${host}/` }).end();

    const job = await attempt(receiver().url, receiverIsPublic);

    expect(job.status).toBe('error');
    expect(job.error).toMatch(/^Refused to connect to .* is not a public address/);
    expect(receiver().received).toHaveLength(1);
  },
);

test('a name is checked at each connection: one that changes its address between redirects gains nothing', async () => {
  const changing = () => receiver().received.length === 0;
  const url = `http://localhost:${receiver().port}/`;
  receiver().answer = (response) => response.writeHead(307, { location: url }).end();

  const job = await attempt(url, changing);

  expect(job.error).toMatch(/^Refused to connect to localhost/);
  expect(receiver().received).toHaveLength(1);
});

test('a job leaves no connection that another could use unchecked', async () => {
  const url = `http://localhost:${receiver().port}/`;
  await (await fetch(url)).text();
  await attempt(url, anyAddress);

  const job = await attempt(url, isPublicAddress);

  expect(job.status).toBe('error');
});

test.each(['8.8.8.8', '2606:4700:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([isPublicAddress, anyAddress])(
  'no error tells the address that a name has in here',
  async (rule) => {
    const closed = receiver().port;
    await receiver().stop();

    const job = await attempt(`http://localhost:${closed}/`, rule);
    await receiver().start();

    expect(job.error).toMatch(/localhost/);
    expect(job.error).not.toMatch(/127|::1/);
  },
);
