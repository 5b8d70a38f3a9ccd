import * as z from 'zod';
import type { Route } from '../route.js';
import { callbackOperations } from './callbacks.js';
import { type JsonSchema, toJsonSchema } from './json-schema.js';
import { packageVersion } from './package-version.js';
import { problemResponses, problemSchema } from './problem-responses.js';

/** Returns the OpenAPI 3.1 document of the routes, made from the schemas that validate their requests. */
export async function toDocument(routes: readonly Route[]) {
  const schemas = new Map<string, JsonSchema>([['Problem', problemSchema]]);
  const responses = new Map<string, JsonSchema>();
  const paths: Record<string, Record<string, unknown>> = {
    '/health': { get: readiness(responses) },
    '/health/live': { get: liveness(responses) },
  };
  for (const route of routes) {
    const operation = await toOperation(route, schemas, responses);
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation };
  }
  paths['/callbacks/{token}'] = callbackOperations(responses);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Remote Processor',
      version: packageVersion,
      description:
        'Adds, shows and changes jobs and schedules. Every error is a problem document (RFC 9457).',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }, { iam: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(schemas),
      responses: Object.fromEntries(responses),
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'One of API_KEYS: `Authorization: Bearer <key>`.',
        },
        iam: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'AWS Signature Version 4, if HTTP_ACCESS is iam. Keys are then not accepted.',
          'x-amazon-apigateway-authtype': 'awsSigv4',
        },
      },
    },
  };
}

async function toOperation(
  route: Route,
  schemas: Map<string, JsonSchema>,
  responses: Map<string, JsonSchema>,
) {
  const { parameters, query, body } = (await route.asks()).shape;
  const { description = '', role } = route;
  return {
    operationId: route.operation,
    summary: route.summary,
    description: `${description} Needs the role \`${role}\`.`.trim(),
    tags: [route.path.split('/')[2]],
    parameters: [
      ...toParameters('path', parameters, schemas),
      ...toParameters('query', query, schemas),
      ...(route.heedsIdempotencyKey ? [idempotencyKey] : []),
    ],
    ...(body && {
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: toJsonSchema(body, 'input', schemas),
            ...(route.bodyExample !== undefined && { example: route.bodyExample }),
          },
        },
      },
    }),
    responses: {
      [route.reply.status]: toResponse(route, schemas),
      ...problemResponses(route, route.method !== 'GET', responses),
    },
  };
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Chosen by the client, and kept for 24 hours. A repeated request with the same key gets the first answer, and adds nothing.',
  schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
  example: '8e03978e-40d5-43dd-bc93-6894a57f9324',
};

const replayed = {
  'Idempotent-Replayed': {
    description: 'Present if this is the answer of an earlier request with the same Idempotency-Key.',
    schema: { const: 'true' },
  },
};

function toParameters(
  place: 'path' | 'query',
  schema: z.core.$ZodType | undefined,
  schemas: Map<string, JsonSchema>,
): JsonSchema[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).map(([name, parameter]) => {
    const { description, ...rest } = toJsonSchema(parameter, 'input', schemas);
    const required = !(parameter instanceof z.ZodOptional);
    return { name, in: place, required, ...(description !== undefined && { description }), schema: rest };
  });
}

function toResponse({ reply, heedsIdempotencyKey }: Route, schemas: Map<string, JsonSchema>): JsonSchema {
  const { description, headers = {}, example } = reply;
  const told = Object.entries(headers).map(([name, text]) => [
    name,
    { description: text, required: true, schema: { type: 'string' } },
  ]);
  return {
    description,
    headers: { ...Object.fromEntries(told), ...(heedsIdempotencyKey && replayed) },
    ...(reply.status !== 204 && {
      content: {
        'application/json': {
          schema: toJsonSchema(reply.schema(), 'output', schemas),
          ...(example !== undefined && { example }),
        },
      },
    }),
  };
}

function readiness(responses: Map<string, JsonSchema>) {
  const summary = 'Check that the database answers and has its indexes';
  return health('getHealth', summary, problemResponses(open, false, responses));
}

function liveness(responses: Map<string, JsonSchema>) {
  const stuck = { ...open, problems: ['loop_stuck'] } as const;
  const summary = 'Check that the process works. If not, restart it. Does not use the database';
  return health('getLiveness', summary, problemResponses(stuck, false, responses));
}

const open = { role: 'none', problems: [], heedsIdempotencyKey: false } as const;

function health(operationId: string, summary: string, problems: Record<number, JsonSchema>) {
  return {
    operationId,
    summary,
    tags: ['health'],
    security: [],
    responses: {
      200: {
        description: 'Yes.',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: { status: { const: 'ok' } },
              required: ['status'],
              additionalProperties: false,
            },
            example: { status: 'ok' },
          },
        },
      },
      ...problems,
    },
  };
}
