import { Hono } from 'hono';
import * as z from 'zod';
import { once } from '../../once.js';
import { type ApiOperation, ApiPage } from './api-page.js';
import type { DashboardEnvironment } from './environment.js';
import { showPage } from './page.js';
import { apiPath } from './paths.js';

const schema = z.record(z.string(), z.unknown());
const content = z.object({
  'application/json': z.object({ schema, example: z.unknown().optional() }).optional(),
});
const operationSchema = z.object({
  operationId: z.string(),
  summary: z.string(),
  description: z.string().default(''),
  tags: z.array(z.string()).default([]),
  /** How callers are identified. Empty if the operation needs no key. */
  security: z.array(z.unknown()).optional(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        required: z.boolean().default(false),
        description: z.string().default(''),
        schema,
      }),
    )
    .default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(
    z.string(),
    z.object({ description: z.string().default(''), content: content.optional() }),
  ),
});
const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) });

/** Shows the reference of the HTTP API, made from its OpenAPI document. */
export function apiRoutes() {
  const operations = once(readOperations);
  return new Hono<DashboardEnvironment>().get('/', async (context) => {
    const text = context.req.query('text')?.trim() ?? '';
    const all = await operations();
    return showPage(context, {
      title: 'API',
      section: apiPath,
      children: (
        <ApiPage
          operations={all.filter((operation) => matches(operation, text))}
          text={text}
          origin={new URL(context.req.url).origin}
        />
      ),
    });
  });
}

/** Loads the document on demand, as the API does. */
async function readOperations(): Promise<readonly ApiOperation[]> {
  const [{ toDocument }, { routes }] = await Promise.all([
    import('../openapi/document.js'),
    import('../routes.js'),
  ]);
  const { paths } = documentSchema.parse(JSON.parse(JSON.stringify(await toDocument(routes))));
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
      isOpen: operation.security?.length === 0,
      body: operation.requestBody?.content['application/json'],
    })),
  );
}

/** Returns whether each word of a text occurs in the description of an operation. */
function matches({ operationId, method, path, summary, description }: ApiOperation, text: string): boolean {
  const told = [operationId, method, path, summary, description].join(' ').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => told.includes(word));
}
