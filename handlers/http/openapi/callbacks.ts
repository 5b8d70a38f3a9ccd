import type { ProblemCode } from '../problem.js';
import type { JsonSchema } from './json-schema.js';
import { problemResponses } from './problem-responses.js';

/**
 * Returns the operations of the link that answers a callback. They need no key, because the link is the right to
 * answer.
 */
export function callbackOperations(responses: Map<string, JsonSchema>) {
  const asked = { role: 'none', problems: ofLinks, heedsIdempotencyKey: false } as const;
  const answered = { ...asked, problems: [...ofLinks, ...ofAnswers] };
  return {
    get: showing(problemResponses(asked, false, responses)),
    post: answering(problemResponses(answered, true, responses)),
  };
}

const ofLinks: readonly ProblemCode[] = [
  'invalid_address',
  'unknown_host',
  'sent_from_elsewhere',
  'route_not_found',
  'not_found',
  'callback_answered',
  'callback_over',
  'too_many_wrong_keys',
];
const ofAnswers: readonly ProblemCode[] = ['conflict', 'validation_failed'];

const shared = {
  tags: ['callbacks'],
  security: [],
  parameters: [
    {
      name: 'token',
      in: 'path',
      required: true,
      description: 'The end of the link. Whoever has it may answer, once.',
      schema: { type: 'string' },
    },
  ],
};

const page = { 'text/html': { schema: { type: 'string' } } };

function showing(problems: Record<number, JsonSchema>) {
  return {
    ...shared,
    operationId: 'getCallback',
    summary: 'Show the page of a callback',
    description: `The page asks to approve or to refuse. Opening it changes nothing. ${asPages}`,
    responses: { 200: { description: 'The page.', content: page }, ...problems },
  };
}

function answering(problems: Record<number, JsonSchema>) {
  return {
    ...shared,
    operationId: 'answerCallback',
    summary: 'Answer a callback',
    description: `The first answer counts. The job gets the JSON that was sent, or \`approved\` and \`comment\` of the form. ${asPages}`,
    requestBody: {
      required: true,
      content: { 'application/json': json, 'application/x-www-form-urlencoded': form },
    },
    responses: {
      200: { description: 'The answer is stored.', content: { 'application/json': stored, ...page } },
      ...problems,
    },
  };
}

const asPages = 'With `text/html` in `Accept`, answers and problems are pages.';

const json = {
  schema: { description: 'Any JSON, as the schema of the step says. At most 64 KB as stored.' },
  example: { approved: true, comment: 'As agreed' },
};

const form = {
  schema: {
    type: 'object',
    properties: { answer: { enum: ['approve', 'refuse'] }, comment: { type: 'string' } },
    required: ['answer'],
  },
  example: { answer: 'approve', comment: 'As agreed' },
};

const stored = {
  schema: {
    type: 'object',
    properties: { outcome: { const: 'delivered' } },
    required: ['outcome'],
    additionalProperties: false,
  },
  example: { outcome: 'delivered' },
};
