import { MAX_ISSUES } from '../../../src/issues.js';
import { kindOf, type ProblemCode } from '../problem.js';
import type { Route } from '../route.js';
import type { JsonSchema } from './json-schema.js';

export const problemSchema: JsonSchema = {
  type: 'object',
  description: 'What went wrong (RFC 9457). Match on `code`, never on the texts.',
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    issues: {
      type: 'array',
      maxItems: MAX_ISSUES,
      description:
        'The problems of the request, at most 100: the path, such as `options.delay`, and what was expected.',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, message: { type: 'string' } },
        required: ['path', 'message'],
        additionalProperties: false,
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code'],
  additionalProperties: false,
};

/**
 * Returns the problems that an operation may answer with, by status. Each is defined once, among the document's
 * components.
 */
export function problemResponses(
  route: Pick<Route, 'problems' | 'heedsIdempotencyKey'> & { readonly role: Route['role'] | 'none' },
  mayHaveBody: boolean,
  responses: Map<string, JsonSchema>,
): Record<number, JsonSchema> {
  const codes: ProblemCode[] = [
    ...(route.role === 'none' ? [] : everywhere),
    ...(route.role === 'none' || route.role === 'read' ? [] : (['forbidden'] as const)),
    ...(mayHaveBody ? ofBodies : []),
    ...(route.heedsIdempotencyKey ? ofIdempotencyKeys : []),
    ...route.problems,
    'internal_error',
    'answer_too_large',
    'index_missing',
    'foreign_documents',
    'database_unreachable',
    'read_timeout',
  ];
  const statuses = [...new Set(codes.map((code) => kindOf(code).status))];
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      refer(
        codes.filter((code) => kindOf(code).status === status),
        responses,
      ),
    ]),
  );
}

const everywhere: readonly ProblemCode[] = [
  'invalid_address',
  'needless_body',
  'unauthorized',
  'no_api_keys',
  'not_signed',
  'unknown_host',
  'sent_from_elsewhere',
  'validation_failed',
  'too_many_wrong_keys',
];
const ofBodies: readonly ProblemCode[] = ['invalid_body', 'body_too_large', 'unsupported_media_type'];
const ofIdempotencyKeys: readonly ProblemCode[] = ['idempotency_key_in_use', 'idempotency_key_reused'];

function refer(codes: readonly ProblemCode[], responses: Map<string, JsonSchema>): JsonSchema {
  const name = codes.join('-or-');
  responses.set(name, toResponse(codes));
  return { $ref: `#/components/responses/${name}` };
}

function toResponse(codes: readonly ProblemCode[]): JsonSchema {
  const own = { type: 'object', properties: { code: { enum: codes } } };
  const examples = codes.map((code) => {
    const { type, title, status } = kindOf(code);
    return [code, { summary: title, value: { type, title, status, detail: title, code } }];
  });
  return {
    description: codes.map((code) => kindOf(code).title).join('; or: '),
    content: {
      'application/problem+json': {
        schema: { allOf: [{ $ref: '#/components/schemas/Problem' }, own] },
        examples: Object.fromEntries(examples),
      },
    },
  };
}
