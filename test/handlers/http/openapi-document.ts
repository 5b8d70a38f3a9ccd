import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'vitest';
import { z } from 'zod';
import { toDocument } from '../../../handlers/http/openapi/document.js';
import { routes } from '../../../handlers/http/routes.js';

/** A JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

const schema = z.record(z.string(), z.unknown());
const content = z.record(z.string(), z.object({ schema, example: z.unknown().optional() }));
const responseSchema = z.object({
  content: content.optional(),
  headers: z.record(z.string(), z.object({ required: z.boolean().optional() })).optional(),
});
const parameterSchema = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean().optional(),
  schema,
});
const operationSchema = z.object({
  operationId: z.string(),
  /** Empty if it needs no key. */
  security: z.array(z.unknown()).optional(),
  parameters: z.array(parameterSchema).default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.union([z.object({ $ref: z.string() }), responseSchema])),
});
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({
    responses: z.record(z.string(), responseSchema),
    schemas: z.record(z.string(), schema),
  }),
});

export type Parameter = z.output<typeof parameterSchema>;

/** An operation of the document. */
export interface Operation extends z.output<typeof operationSchema> {
  readonly method: string;
  readonly path: string;
}

/** The document as a client gets it. */
export const openApi: unknown = JSON.parse(JSON.stringify(await toDocument(routes)));

const { paths, components } = documentSchema.parse(openApi);

export const operations: readonly Operation[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    ...operation,
    method: method.toUpperCase(),
    path,
  })),
);

export const namedSchemas: Readonly<Record<string, Schema>> = components.schemas;

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema({ $id: 'document', components });

/** Returns a function that validates a value against a schema of the document. */
export function validator(part: Schema): ValidateFunction {
  const absolute = JSON.stringify(part).replaceAll('"#/components/', '"document#/components/');
  return ajv.compile(JSON.parse(absolute));
}

const compiled = new Map<Schema, ValidateFunction>();

function cached(part: Schema): ValidateFunction {
  const known = compiled.get(part) ?? validator(part);
  compiled.set(part, known);
  return known;
}

/** A request that was sent. */
export interface SentRequest {
  readonly method: string;
  readonly url: string;
  /** The body. Undefined for none. */
  readonly body: unknown;
}

/**
 * Expects that the document describes this answer of the operation, and that it allows the request if the request
 * succeeded. Does not check an unknown operation.
 */
export async function expectDocumented(
  { method, url, body }: SentRequest,
  response: Response,
): Promise<void> {
  const { pathname, search } = new URL(url);
  const operation = operationAt(method === 'HEAD' ? 'GET' : method, pathname);
  if (!operation) return;
  const subject = `${method} ${operation.path}: ${response.status}`;
  if (response.ok) expect(isAllowed(operation, search, asJson(body)), `${subject} is allowed`).toBe(true);
  const told = operation.responses[response.status];
  expect(told, `${subject} is not documented`).toBeDefined();
  if (!told) return;
  const { content, headers = {} } = '$ref' in told ? referred(told.$ref) : told;
  for (const [name, { required }] of Object.entries(headers))
    if (required) expect(response.headers.has(name), `${subject} has ${name}`).toBe(true);
  const text = await response.text();
  if (!content || method === 'HEAD') return expect(text, subject).toBe('');
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  const media = content[type];
  expect(media, `${subject} as ${response.headers.get('content-type')}`).toBeDefined();
  if (type === 'text/html') return;
  const isDocumented = cached(media?.schema ?? {});
  expect(isDocumented(JSON.parse(text)), `${subject} ${text}\n${ajv.errorsText(isDocumented.errors)}`).toBe(
    true,
  );
}

/** Returns whether the document allows this request of an operation. */
export function isAllowed(
  { parameters, requestBody, path }: Operation,
  query: string,
  body: unknown,
): boolean {
  if (path.startsWith('/health')) return true; // These ignore their query.
  const given = new URLSearchParams(query);
  const known = new Map(
    parameters
      .filter((parameter) => parameter.in === 'query')
      .map((parameter) => [parameter.name, parameter]),
  );
  if ([...given.keys()].some((name) => !known.has(name))) return false;
  const areValid = [...known.values()].every((parameter) =>
    isValidParameter(parameter, given.getAll(parameter.name)),
  );
  const schema = requestBody?.content['application/json']?.schema;
  return areValid && (schema === undefined || cached(schema)(body));
}

function isValidParameter({ schema, required = false }: Parameter, values: readonly string[]): boolean {
  if (values.length === 0) return !required;
  if (schema.type === 'array') return cached(schema)(values);
  if (values.length > 1) return false;
  const [text = ''] = values;
  return cached(schema)(schema.type === 'integer' && /^\d+$/.test(text) ? Number(text) : text);
}

/** Returns a body as the server parses it. */
function asJson(body: unknown): unknown {
  if (body === undefined || body === '') return undefined;
  return JSON.parse(typeof body === 'string' ? body : JSON.stringify(body));
}

function referred(reference: string): z.output<typeof responseSchema> {
  const name = reference.replace('#/components/responses/', '');
  return components.responses[name] ?? {};
}

/** Finds an operation. A literal path wins over one with a parameter. */
function operationAt(method: string, pathname: string): Operation | undefined {
  const found = operations.filter(
    (operation) => operation.method === method && pattern(operation.path).test(pathname),
  );
  return found.find(({ path }) => !path.includes('{')) ?? found[0];
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}
