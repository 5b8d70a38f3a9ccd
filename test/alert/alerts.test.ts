import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type AlertsOptions, type LogFields, RemoteProcessor } from '../../src/index.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo } from '../jobs.js';

const database = useDatabase();

/** What the receiver got. */
interface Received {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

let received: Received[] = [];
/** The statuses of the next answers. Then 200. */
let answers: number[] = [];
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(answers.shift() ?? 200).end();
  });
});
beforeAll(() => new Promise<void>((resolve) => void receiver.listen(0, '127.0.0.1', resolve)));
afterAll(async () => {
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});
beforeEach(() => {
  received = [];
  answers = [];
});

const address = () => {
  const found = receiver.address();
  const { port } = typeof found === 'object' && found ? found : expect.fail('It does not listen.');
  return `http://127.0.0.1:${port}/the-secret-path`;
};

/** An address where nobody listens. Fetch refuses port 1, and others of its list. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const found = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof found === 'object' ? found?.port : 0}/the-secret-path`;
}

/** Looks as another process a minute later would. Returns how many changes it sent. */
async function look(options: Partial<AlertsOptions> = {}, log = silent): Promise<number> {
  await database.collections().alerts.updateMany({}, { $set: { looked: new Date(1) } });
  const processor = new RemoteProcessor({ db: database.db, log, alerts: { url: address(), ...options } });
  return processor.tellVerdict();
}

async function looks(count: number, options: Partial<AlertsOptions> = {}): Promise<number> {
  let sent = 0;
  for (let n = 0; n < count; n += 1) sent += await look(options);
  return sent;
}

/** Pauses a queue that a job waits in, which is a warning. */
async function pausedQueue(name = 'mail') {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', { card: 'not-to-be-sent' }, { queue: name });
  await processor.queues.pause(name);
  return processor;
}

const bodies = () => received.map(({ body }) => JSON.parse(body));

test('a finding is told at its second look and once only, and that it is over after five without it', async () => {
  const processor = await pausedQueue();
  expect(await look()).toBe(0);
  expect(await look()).toBe(1);
  expect(await looks(3)).toBe(0);
  expect(bodies()).toEqual([
    {
      type: 'verdict.changed',
      timestamp: expect.any(String),
      data: {
        processor: 'root',
        failures: 0,
        warnings: 1,
        changes: [
          {
            change: 'begun',
            code: 'paused_queue',
            severity: 'warning',
            about: { type: 'queue', name: 'mail' },
            text: "queue 'mail' is paused, and 1 job waits in it",
            advice: expect.stringContaining('queues resume mail'),
            since: expect.any(String),
          },
        ],
        more: 0,
      },
    },
  ]);
  expect(received[0]?.body).not.toContain('not-to-be-sent');

  await processor.queues.resume('mail');
  expect(await looks(4)).toBe(0);
  expect(await look()).toBe(1);
  expect(bodies()[1]).toMatchObject({
    data: { failures: 0, warnings: 0, changes: [{ change: 'over', code: 'paused_queue' }] },
  });
  expect(await database.collections().alerts.findOne({ _id: 'verdict' })).toMatchObject({ findings: [] });
});

test('what comes and goes is one alert, and what is there for one look is none', async () => {
  const processor = await pausedQueue();
  await look();
  await processor.queues.resume('mail');
  await look();
  await processor.queues.pause('mail');
  expect(await look()).toBe(0);
  expect(await look()).toBe(1);
  for (let n = 0; n < 3; n += 1) {
    await processor.queues.resume('mail');
    expect(await looks(4)).toBe(0);
    await processor.queues.pause('mail');
    expect(await look()).toBe(0);
  }
});

test('a warning that becomes a failure is told again', async () => {
  const { statistics } = database.collections();
  const minute = (errors: number) =>
    statistics.insertOne({
      _id: new Date(Date.now() - 60_000 * (errors / 100)),
      names: { _charge: { errors, ...(errors === 100 && { completed: 700 }) } },
      written: new Date(),
      expireAt: new Date(Date.now() + 3_600_000),
    });
  await minute(100);
  expect(await looks(2)).toBe(1);
  await minute(200);
  await minute(700);
  expect(await look()).toBe(0);
  expect(await looks(2)).toBe(1);
  expect(bodies().map(({ data }) => data.changes)).toMatchObject([
    [{ change: 'begun', severity: 'warning' }],
    [{ change: 'worse', severity: 'failure' }],
  ]);
});

test('of many processes that look at the same time one does, and only once in a minute', async () => {
  await pausedQueue();
  await look();
  await database.collections().alerts.updateMany({}, { $set: { looked: new Date(1) } });
  const processors = Array.from(
    { length: 5 },
    () => new RemoteProcessor({ db: database.db, log: silent, alerts: { url: address() } }),
  );
  const sent = await Promise.all(processors.map((processor) => processor.tellVerdict()));
  expect(sent.toSorted()).toEqual([0, 0, 0, 0, 1]);
  expect(await Promise.all(processors.map((processor) => processor.tellVerdict()))).toEqual([0, 0, 0, 0, 0]);
  expect(received).toHaveLength(1);
});

test('a process that was frozen while it looked sends nothing, since another has looked', async () => {
  await pausedQueue();
  await look();
  const { alerts } = database.collections();
  await alerts.updateMany({}, { $set: { looked: new Date(1) } });
  const frozen = new RemoteProcessor({ db: database.db, log: silent, alerts: { url: address() } });
  const judge = frozen.verdict.bind(frozen);
  frozen.verdict = async () => {
    const verdict = await judge();
    await alerts.updateMany({}, { $set: { look: 'of another' } });
    return verdict;
  };
  expect(await frozen.tellVerdict()).toBe(0);
  expect(received).toEqual([]);
});

test('an alert is signed as Standard Webhooks does, and tried again with the same id where it was not taken', async () => {
  const secret = `whsec_${Buffer.from('a secret of the receiver').toString('base64')}`;
  await pausedQueue();
  await look({ secret });
  answers = [503, 429];
  expect(await look({ secret })).toBe(1);
  expect(received).toHaveLength(3);
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  for (const { headers, body } of received) {
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const right = createHmac('sha256', 'a secret of the receiver').update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${right}`);
  }
});

test('an alert that is refused, or that nobody takes, is logged without the address and the secret, and lost', async () => {
  const lines: string[] = [];
  const note = (message: string, fields?: LogFields) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log = { ...silent, info: note, warn: note, error: note };
  const secret = 'the-secret-that-signs-alerts';
  await pausedQueue();
  await look();
  answers = [404];
  expect(await look({ secret }, log)).toBe(0);
  await pausedQueue('other');
  await look();
  expect(await look({ url: await closedAddress(), secret }, log)).toBe(0);
  expect(lines).toEqual([
    expect.stringContaining('The receiver of alerts answered 404.'),
    expect.stringContaining('could not be reached (ECONNREFUSED)'),
  ]);
  expect(lines.join()).not.toMatch(/the-secret/);
  expect(await look()).toBe(0);
});

test('for Slack it is a text, in which nothing of a name is a link or a mention', async () => {
  await pausedQueue('<!here> & <https://example.com>');
  await looks(2, { format: 'slack' });
  expect(bodies()).toEqual([
    {
      text: expect.stringMatching(
        /^:warning: \*queue '&lt;!here&gt; &amp; &lt;https:\/\/example\.com&gt;' is paused, .*\* \(since .* UTC\)\n.*\nroot: Now: 0 failures, 1 warning\.$/,
      ),
    },
  ]);
});

test('without findings nothing is written except when somebody looked, and without the option nothing at all', async () => {
  expect(await looks(2)).toBe(0);
  const { alerts } = database.collections();
  expect(await alerts.find().toArray()).toEqual([
    { _id: 'verdict', look: expect.any(String), looked: expect.any(Date) },
  ]);
  await alerts.deleteMany({});
  expect(await database.processor().tellVerdict()).toBe(0);
  expect(await alerts.countDocuments()).toBe(0);
});

test('the local scheduler looks, and does not wait for the webhook', async () => {
  await pausedQueue();
  await look();
  await database.collections().alerts.updateMany({}, { $set: { looked: new Date(1) } });
  const processor = database.processor({ alerts: { url: address() }, scheduleInterval: 50 });
  processor.startScheduler();
  await eventually(() => expect(received).toHaveLength(1));
});

test.each([
  [{ url: 'ftp://example.com' }, 'alerts.url'],
  [{ url: 'https://user:password@example.com' }, 'alerts.url'],
  [{ url: 'https://example.com', format: 'teams' }, 'alerts.format'],
  [{ url: 'https://example.com', secrets: [] }, 'alerts.secrets'],
])('options that are wrong are refused: %o', (alerts, path) => {
  const options = { db: database.db, alerts };
  const make = () => Reflect.construct(RemoteProcessor, [options]);
  expect(make).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path })] }));
});
