import { type Attributes, context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type RemoteProcessor, Snooze } from '../src/index.js';
import { instrument } from '../src/opentelemetry/index.js';
import { useApi } from './handlers/http/api.js';
import { anything, failing } from './jobs.js';

const api = useApi();
const contexts = new AsyncLocalStorageContextManager();

beforeAll(() => void context.setGlobalContextManager(contexts.enable()));
afterAll(() => {
  context.disable();
  contexts.disable();
});

/** A processor, and what comes of it. */
async function setup(processor: RemoteProcessor = api.database.processor({ maxThreads: 2 })) {
  const spans = new InMemorySpanExporter();
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const reader = new PeriodicExportingMetricReader({ exporter: metrics });
  const meterProvider = new MeterProvider({ readers: [reader] });
  instrument(processor, { tracerProvider, meterProvider });
  await processor.addJobFactories([anything, failing]);
  const named = (name: string) => spans.getFinishedSpans().filter((span) => span.name === name);
  /** The points of all metrics, by their names. */
  const points = async () => {
    await reader.forceFlush();
    const [last] = metrics.getMetrics().slice(-1);
    const all = last?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return new Map(all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints]));
  };
  return { processor, named, points, tracer: tracerProvider.getTracer('test') };
}

function only(spans: readonly ReadableSpan[]): ReadableSpan {
  const [span] = spans;
  if (!span || spans.length > 1) throw new Error(`There are ${spans.length} spans.`);
  return span;
}

const idsOf = (span: ReadableSpan) => span.spanContext();
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a job is one trace from add to run: its process span links to the send span', async () => {
  const { processor, named, tracer } = await setup();
  const id = await tracer.startActiveSpan('request', async (request) => {
    const added = await processor.addJob('anything', 1);
    request.end();
    return added;
  });
  await processor.drain();
  const [request, sent, processed] = ['request', 'send anything', 'process anything'].map((name) =>
    only(named(name)),
  );
  if (!request || !sent || !processed) throw new Error('No spans.');
  expect(sent).toMatchObject({ kind: SpanKind.PRODUCER, parentSpanContext: idsOf(request) });
  expect(processed).toMatchObject({ kind: SpanKind.CONSUMER, status: { code: SpanStatusCode.UNSET } });
  expect(processed.links.map((link) => link.context)).toMatchObject([
    { traceId: idsOf(request).traceId, spanId: idsOf(sent).spanId },
  ]);
  expect(processed.parentSpanContext?.spanId).toBe(idsOf(sent).spanId);
  const attributes = {
    'messaging.system': 'remote_processor',
    'messaging.destination.name': 'anything',
    'messaging.message.id': id,
    'remote_processor.queue': 'default',
  };
  const operation = (name: string) => ({
    'messaging.operation.name': name,
    'messaging.operation.type': name,
  });
  expect(sent.attributes).toEqual({ ...attributes, ...operation('send') });
  expect(processed.attributes).toEqual({
    ...attributes,
    ...operation('process'),
    'remote_processor.attempt': 1,
  });
});

test('each of many jobs has a trace context of its own', async () => {
  const { processor, named } = await setup();
  await processor.addJobs([{ name: 'anything' }, { name: 'anything' }]);
  await processor.drain();
  const sent = named('send anything').map((span) => idsOf(span).spanId);
  const linked = named('process anything').flatMap(({ links }) => links.map((link) => link.context.spanId));
  expect(new Set(sent).size).toBe(2);
  expect(linked.toSorted()).toEqual(sent.toSorted());
});

test('a span that is active while a worker runs is the parent, and the link stays', async () => {
  const { processor, named, tracer } = await setup();
  await processor.addJob('anything');
  await tracer.startActiveSpan('invocation', async (invocation) => {
    await processor.drain();
    invocation.end();
  });
  const processed = only(named('process anything'));
  expect(processed.parentSpanContext).toEqual(idsOf(only(named('invocation'))));
  expect(processed.links[0]?.context.spanId).toBe(idsOf(only(named('send anything'))).spanId);
});

test('spans that a job makes, and jobs that it adds, belong to its trace', async () => {
  const { processor, named, tracer } = await setup();
  const parent = defineJob({
    name: 'parent',
    run: async ({ processor: own }) => {
      tracer.startSpan('inside').end();
      await own.addJob('anything');
    },
  });
  await processor.addJobFactory(parent);
  await processor.addJob(parent);
  await processor.drain();
  const processed = idsOf(only(named('process parent')));
  expect(only(named('inside')).parentSpanContext).toEqual(processed);
  expect(only(named('send anything')).parentSpanContext).toEqual(processed);
});

test('a failed attempt is an error of its span, one that puts itself off is none', async () => {
  const { processor, named, points } = await setup();
  const snoozing = defineJob({
    name: 'snoozing',
    run: () => {
      throw new Snooze('1h');
    },
  });
  await processor.addJobFactory(snoozing);
  await processor.addJobs([{ name: 'failing' }, { name: 'snoozing' }]);
  await processor.drain();
  const failed = only(named('process failing'));
  expect(failed.status).toEqual({ code: SpanStatusCode.ERROR, message: 'It is hopeless.' });
  expect(failed.attributes).toMatchObject({ 'error.type': 'RemoteException' });
  expect(failed.events).toMatchObject([{ name: 'exception' }]);
  expect(only(named('process snoozing')).status.code).toBe(SpanStatusCode.UNSET);
  const durations = (await points()).get('messaging.process.duration') ?? [];
  const types = durations.map(({ attributes }) => attributes['error.type']);
  expect(types.toSorted()).toEqual(['RemoteException', undefined]);
});

test('a span tells no value of a redacted field, of a job or of its steps', async () => {
  const charge = defineJob({
    name: 'charge',
    input: z.object({ card: z.string() }),
    redact: ['card'],
    maxRetries: 1,
    run: async ({ input, step }) => {
      await step.run('pay', () => {
        throw new Error(`No money on ${input.card}.`);
      });
    },
  });
  const { processor, named } = await setup();
  await processor.addJobFactory(charge);
  await processor.addJob(charge, { card: '4111111111111111' });
  await processor.drain();

  const spans = [only(named('process charge')), only(named('step pay'))];
  for (const { events, status } of spans) {
    expect(status.message).toContain('[redacted]');
    expect(JSON.stringify([events, status])).not.toContain('4111');
  }
});

test('each try of a step, and each wait, has a span in that of the attempt; a suspended attempt is no error', async () => {
  const { processor, named, points, tracer } = await setup();
  const order = defineJob({
    name: 'order',
    run: async ({ step }) => {
      await step.run('charge', { retry: { attempts: 2, delay: 1 } }, ({ attempt }) => {
        tracer.startSpan('inside').end();
        if (attempt === 1) throw new TypeError('not yet');
      });
      return step.waitForSignal('paid');
    },
  });
  await processor.addJobFactory(order);
  const id = await processor.addJob(order);
  await processor.drain();
  await processor.signal(id, 'paid', 7);
  await processor.drain();

  const [first, second] = named('process order');
  if (!first || !second) throw new Error('No spans.');
  expect(first.status.code).toBe(SpanStatusCode.UNSET);
  expect(first.attributes).toMatchObject({ 'remote_processor.suspended': true });
  expect(second.attributes).not.toHaveProperty('remote_processor.suspended');
  const tries = named('step charge');
  expect(tries.map(({ attributes }) => attributes['remote_processor.step.attempt'])).toEqual([1, 2]);
  expect(tries.map(({ status }) => status.code)).toEqual([SpanStatusCode.ERROR, SpanStatusCode.UNSET]);
  for (const { parentSpanContext } of tries) expect(parentSpanContext).toEqual(idsOf(first));
  expect(named('inside').map(({ parentSpanContext }) => parentSpanContext)).toEqual(tries.map(idsOf));
  const waited = only(named('step paid'));
  expect(waited.parentSpanContext).toEqual(idsOf(second));
  expect(waited.attributes).toMatchObject({
    'messaging.message.id': id,
    'remote_processor.step.kind': 'signal',
    'remote_processor.step.state': 'completed',
  });
  const durations = (await points()).get('messaging.process.duration') ?? [];
  expect(durations.map(({ attributes }) => attributes['error.type'])).toEqual([undefined]);
});

test('a job that is refused is an error of its send span', async () => {
  const { processor, named } = await setup();
  processor.use({
    add: () => {
      throw new RangeError('too much');
    },
  });
  await expect(processor.addJob('anything')).rejects.toThrow('too much');
  expect(only(named('send anything')).attributes).toMatchObject({ 'error.type': 'RangeError' });
});

test('metrics count and time what is sent and processed, by few attributes', async () => {
  const { processor, points } = await setup();
  await processor.addJobs([{ name: 'anything' }, { name: 'anything' }]);
  await processor.drain();
  const all = await points();
  const sent: Attributes = {
    'messaging.system': 'remote_processor',
    'messaging.operation.name': 'send',
    'messaging.destination.name': 'anything',
  };
  const processed = { ...sent, 'messaging.operation.name': 'process' };
  const timed = { count: 2, sum: expect.any(Number) };
  expect(all.get('messaging.client.sent.messages')).toMatchObject([{ value: 2, attributes: sent }]);
  expect(all.get('messaging.client.operation.duration')).toMatchObject([{ value: timed, attributes: sent }]);
  expect(all.get('messaging.client.consumed.messages')).toMatchObject([{ value: 2, attributes: processed }]);
  expect(all.get('messaging.process.duration')).toMatchObject([{ value: timed, attributes: processed }]);
});

test('the job of a scheduler item has a send span, and its process span links to that', async () => {
  const { processor, named } = await setup();
  await processor.addScheduler({ type: 'At', at: new Date(0), jobName: 'anything', input: 1, active: true });
  await processor.scheduleDueItems();
  await processor.drain();
  const sent = idsOf(only(named('send anything')));
  expect(only(named('process anything')).links[0]?.context).toMatchObject({ spanId: sent.spanId });
});

test.each([
  ['/v1/jobs', { name: 'anything' }],
  ['/v1/jobs/batch', { jobs: [{ name: 'anything' }] }],
])('the trace of a request to %s goes on in the job', async (path, body) => {
  const worker = await setup();
  const headers = { traceparent, tracestate: 'vendor=1' };
  expect((await api.call(path, { body, headers })).status).toBe(202);
  const [job] = await worker.processor.getJobs();
  expect(job?.metadata).toEqual(headers);
  await worker.processor.drain();
  const processed = only(worker.named('process anything'));
  expect(processed.links[0]?.context).toMatchObject({ spanId: 'b7ad6b7169203331', isRemote: true });
  expect(processed.links[0]?.context.traceState?.get('vendor')).toBe('1');
});

test('where the API makes spans, its send span is a child of the caller’s', async () => {
  const { named, processor } = await setup(api.served);
  await api.call('/v1/jobs', { body: { name: 'anything' }, headers: { traceparent } });
  const sent = only(named('send anything'));
  expect(sent.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  const [job] = await processor.getJobs();
  expect(job?.metadata?.traceparent).toContain(idsOf(sent).spanId);
});

test.each([
  'nonsense',
  '00-00000000000000000000000000000000-b7ad6b7169203331-01',
  '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  `${traceparent}${'0'.repeat(5000)}`,
])('a trace that is none is not kept: %s', async (invalid) => {
  const reply = await api.call('/v1/jobs', { body: { name: 'anything' }, headers: { traceparent: invalid } });
  expect(reply.status).toBe(202);
  expect(await api.processor.getJobs()).not.toMatchObject([{ metadata: expect.anything() }]);
});

test('nothing of OpenTelemetry is in what does not ask for it', async () => {
  const entryPoints = ['src/index.ts', 'handlers/lambda.ts', 'local/index.ts'];
  const { metafile } = await build({
    entryPoints,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    outdir: 'unused',
    write: false,
    metafile: true,
  });
  expect(JSON.stringify(metafile)).not.toMatch(/opentelemetry/);
});

test('a job that was added without a trace is the root of one', async () => {
  const { processor, named } = await setup();
  const plain = api.database.processor();
  await plain.addJobFactory(anything);
  await plain.addJob('anything', 1);
  await processor.drain();
  const processed = only(named('process anything'));
  expect([processed.links, processed.parentSpanContext]).toEqual([[], undefined]);
  expect(trace.isSpanContextValid(idsOf(processed))).toBe(true);
});
