import * as z from 'zod';
import { once } from '../../once.js';
import { defineRoute, type Route } from '../route.js';

/** The route of the OpenAPI document, which describes all routes, including this one. */
export function openApiRoutes(routes: () => readonly Route[]): Route[] {
  const document = once(async () => {
    const { toDocument } = await import('../openapi/document.js');
    return toDocument(routes());
  });
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/openapi.json',
      operation: 'getOpenApi',
      role: 'read',
      summary: 'Show this document',
      asks: () => z.object({}),
      reply: {
        status: 200,
        description: 'The OpenAPI 3.1 document.',
        schema: () => z.record(z.string(), z.unknown()),
      },
      answer: async (_, { basePath }) => ({
        body: { ...(await document()), servers: [{ url: basePath() || '/' }] },
      }),
    }),
  ];
}
