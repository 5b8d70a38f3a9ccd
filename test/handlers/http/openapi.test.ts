import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { routes } from '../../../handlers/http/routes.js';
import { useApi } from './api.js';
import { openApi, operations, validator } from './openapi-document.js';

const api = useApi();

test('the document is served to readers, and to nobody without a key', async () => {
  const response = await api.call('/v1/openapi.json', { key: 'key-of-read' });

  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toEqual(openApi);
  expect((await api.call('/v1/openapi.json', { key: null })).status).toBe(401);
});

test('another project finds the document valid', async () => {
  const document = z.record(z.string(), z.unknown()).parse(structuredClone(openApi));

  expect(await new Validator().validate(document)).toEqual({ valid: true });
});

const keyless = ['GET /health', 'GET /health/live', 'GET /callbacks/{token}', 'POST /callbacks/{token}'];

test('it has every route, each under a name of its own, and what needs no key', () => {
  const documented = operations.map(({ method, path }) => `${method} ${path}`);

  expect(documented.toSorted()).toEqual(
    [...keyless, ...routes.map(({ method, path }) => `${method} ${path}`)].toSorted(),
  );
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
});

test('it names each parameter of a path', () => {
  for (const { path, parameters } of operations) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(inPath);
  }
});

test('where something is missing it is told what was looked for', () => {
  // A queue, a limit, or a kind of jobs, is there as long as somebody names it.
  const isAbout = ({ path }: { path: string }) => /^\/v1\/(?!queues|limits|kinds).*\{/.test(path);
  for (const { path, responses } of operations.filter(isAbout))
    expect(Object.keys(responses), path).toContain('404');
});

/** Each schema in the document that has an example, with it. */
function examplesIn(value: unknown): { schema: Record<string, unknown>; example: unknown }[] {
  if (typeof value !== 'object' || value === null) return [];
  const { data } = withExample.safeParse(value);
  const own = data ? [data.example, ...Object.values(data.examples).map((example) => example.value)] : [];
  return [
    ...own
      .filter((example) => example !== undefined)
      .map((example) => ({ schema: data?.schema ?? {}, example })),
    ...Object.values(value).flatMap(examplesIn),
  ];
}

const withExample = z.object({
  schema: z.record(z.string(), z.unknown()),
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.object({ value: z.unknown() })).default({}),
});

test('its examples are what its schemas say', () => {
  const examples = examplesIn(openApi);

  expect(examples.length).toBeGreaterThan(40);
  for (const { schema, example } of examples) {
    const isValid = validator(schema);
    expect(isValid(example), `${JSON.stringify(example)} ${JSON.stringify(isValid.errors)}`).toBe(true);
  }
});

test.each(
  operations
    .filter(({ path }) => !path.startsWith('/health'))
    .map((operation) => [operation.operationId, operation]),
)(
  '%s has an example of what it answers, and of what it is asked',
  (_, { operationId, requestBody, responses }) => {
    if (requestBody) expect(requestBody.content['application/json']?.example).toBeDefined();
    const [status, answer] = Object.entries(responses).find(([code]) => code.startsWith('2')) ?? [];
    if (status === '204' || operationId === 'getOpenApi' || !answer || '$ref' in answer) return;
    if (operationId === 'getCallback')
      return expect(Object.keys(answer.content ?? {})).toEqual(['text/html']);
    expect(answer.content?.['application/json']?.example).toBeDefined();
  },
);

test('its version is that of the package', () => {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync('package.json', 'utf8')));

  expect(openApi).toMatchObject({ info: { version } });
});
