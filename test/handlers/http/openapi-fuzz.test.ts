import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { collectionNames } from '../../collection-names.js';
import { useApi } from './api.js';
import { almostJsonOf } from './json-of.js';
import { isAllowed, type Operation, operations, type Parameter } from './openapi-document.js';

const api = useApi();

/** Enough to meet every member of a body with something wrong in it, few enough for every run of the suite; CI runs more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 2);

/** Ids and names of what requests can be about. */
const KNOWN = ['settled', 'failed', 'queued', 'batch', 'workflow', 'tick', 'echo'];

beforeEach(async () => {
  await api.processor.addJob('echo', {}, { id: 'settled' });
  await api.processor.addJob('failing', undefined, { id: 'failed' });
  await api.processor.processJobs();
  await api.processor.addJob('echo', {}, { id: 'queued' });
  await api.processor.addBatch([{ name: 'echo', input: {} }], { id: 'batch' });
  await api.processor.addWorkflow({ id: 'workflow', jobs: { one: { name: 'echo', input: {} } } });
  await api.processor.addScheduler({ id: 'tick', type: 'Delay', delay: '1h', jobName: 'echo', input: {} });
});

test.each(operations.map((operation) => [operation.operationId, operation]))(
  '%s: what the document refuses is refused and changes nothing, what it allows is no mistake of ours',
  async (_, operation) => {
    let known = await everything();
    const property = fc.asyncProperty(requestsOf(operation), async ({ path, query, body }) => {
      const before = known;
      const response = await api.call(`${path}${query === '' ? '' : `?${query}`}`, {
        method: operation.method,
        key: 'key-of-admin',
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      expect(response.status, await response.text()).toBeLessThan(500);
      known = await everything();
      if (isAllowed(operation, query, body)) return;
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(known).toEqual(before);
    });
    await fc.assert(property, { numRuns: runsFor(operation) });
  },
);

/** A path of an id alone has little that can be wrong. */
function runsFor({ parameters, requestBody }: Operation): number {
  const isOnlyPath = !requestBody && parameters.every((parameter) => parameter.in !== 'query');
  return isOnlyPath ? Math.ceil(RUNS / 3) : RUNS;
}

/** All that is stored. */
async function everything() {
  const { jobs, jobGroups, scheduler, jobFactories, queues, idempotencyKeys } = collectionNames;
  const names = [jobs, jobGroups, scheduler, jobFactories, queues, idempotencyKeys];
  return Promise.all(names.map((name) => api.database.db.collection(name).find().sort({ _id: 1 }).toArray()));
}

interface FuzzedRequest {
  readonly path: string;
  readonly query: string;
  readonly body: unknown;
}

function requestsOf({ operationId, path, parameters, requestBody }: Operation): fc.Arbitrary<FuzzedRequest> {
  // Nobody waits here for a job that does not end.
  const known = operationId === 'getJob' ? ['settled'] : KNOWN;
  const id = fc
    .oneof(fc.constantFrom(...known), fc.string({ minLength: 1, unit: 'grapheme' }))
    .filter(isSegment);
  const body = requestBody?.content['application/json']?.schema;
  return fc.record({
    path: id.map((text) => path.replace(/\{\w+\}/, encodeURIComponent(text))),
    query: queriesOf(parameters.filter((parameter) => parameter.in === 'query')),
    body: body ? almostJsonOf(body) : fc.constant(undefined),
  });
}

/** What `fetch` does not take for a way up. */
function isSegment(text: string): boolean {
  return text !== '.' && text !== '..' && text.isWellFormed();
}

type Pair = [name: string, value: string];

const strangeParameters: fc.Arbitrary<Pair> = fc.constantFrom(
  ...['nobody', '$where', 'limit[$ne]', '__proto__'].map((name): Pair => [name, '1']),
);

function queriesOf(parameters: readonly Parameter[]): fc.Arbitrary<string> {
  const pairs = parameters.map(({ name, schema, required = false }) => {
    const value = almostJsonOf(schema).map((given) => (Array.isArray(given) ? given : [given]));
    const pair = value.map((values) =>
      values.map((given): Pair => [name, typeof given === 'object' ? JSON.stringify(given) : `${given}`]),
    );
    return required
      ? fc.oneof({ weight: 9, arbitrary: pair }, fc.constant<Pair[]>([]))
      : fc.oneof(pair, fc.constant<Pair[]>([]));
  });
  const strange = fc.oneof({ weight: 6, arbitrary: fc.constant<Pair[]>([]) }, fc.tuple(strangeParameters));
  return fc.tuple(...pairs, strange).map((all) => new URLSearchParams(all.flat()).toString());
}
