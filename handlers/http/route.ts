import type * as z from 'zod';
import type { Role } from '../../src/access/role.js';
import { isKind } from '../../src/brand.js';
import { type Issue, type RemoteProcessor, ValidationError } from '../../src/index.js';
import { type Trace, traceOf } from '../../src/job/trace.js';
import { toIssues } from '../../src/validate.js';
import { once } from '../once.js';
import { issuesOfNeedlessBody, readJsonObject } from './body.js';
import { answerOnce } from './idempotency.js';
import { invalid, type ProblemCode } from './problem.js';
import { readQuery } from './query.js';
import { toResponse } from './reply.js';
import { inTurn } from './turns.js';

/** What the routes work with. */
export interface Services {
  readonly processor: RemoteProcessor;
  /** How many milliseconds there are until the answer has to be on its way; infinite where nobody counts them. */
  readonly timeLeft: () => number;
  /** What stands before the paths of the routes, such as `/prod`; mostly nothing. */
  readonly basePath: () => string;
}

/** A request that was let through. */
export interface RouteRequest {
  readonly raw: Request;
  /** Those in the path, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly callerId: string;
  readonly callerRole: Role;
  readonly maxBytes: number;
}

/** How an answer comes about, beside what was asked. */
export interface Circumstances extends Services {
  /** So many bytes may the members of the answer have as they are sent. */
  readonly maxBytes: number;
  /** Of who asks: what the processor does on his behalf. */
  readonly callerRole: Role;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
  /** The trace that the request belongs to, by its headers; undefined when they name none that is valid. */
  readonly trace: Trace | undefined;
  /** Ids for the jobs that are made, so that a second try meets those of the first; undefined when any will do. */
  readonly jobIds: readonly string[] | undefined;
}

/** What is answered: dates become text on the way. */
export interface Answer<Body> {
  readonly body: Body;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One operation of the API. Its schemas validate requests, type its answers, and describe both in the OpenAPI
 * document.
 */
export interface RouteDefinition<Question extends z.ZodObject, Reply extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** As OpenAPI writes it: `/v1/jobs/{id}`. */
  readonly path: string;
  /** Its name in the OpenAPI document. */
  readonly operation: string;
  /** The least that a caller must have. */
  readonly role: Role;
  readonly summary: string;
  readonly description?: string;
  /**
   * What it may be asked: `parameters` are those in the path; members of `query` are text, or lists of text where a
   * parameter may be repeated; `body` is JSON. Made, or loaded, when it is first needed.
   */
  readonly asks: () => Question | Promise<Question>;
  /** A body that it understands. */
  readonly bodyExample?: unknown;
  readonly reply: {
    readonly status: 200 | 201 | 202 | 204;
    readonly description: string;
    readonly schema: () => Reply;
    /** What the headers say, by their names. */
    readonly headers?: Readonly<Record<string, string>>;
    readonly example?: unknown;
  };
  /** What can go wrong, beside what can everywhere. */
  readonly problems?: readonly ProblemCode[];
  /** Whether it answers with a page of a list: of large members it has 5 MB, and takes many times that while it is made. */
  readonly isList?: boolean;
  /** How many jobs it makes at most: then `Idempotency-Key` is heeded. */
  readonly jobCount?: (question: z.output<Question>) => number;
  /** @throws Problem, and what the processor throws */
  answer(question: z.output<Question>, circumstances: Circumstances): Promise<Answer<z.input<Reply>>>;
}

/** What all routes have in common, whatever they are asked and answer. */
export interface Route
  extends Pick<
    RouteDefinition<z.ZodObject, z.ZodType>,
    'method' | 'path' | 'operation' | 'role' | 'summary' | 'description' | 'bodyExample' | 'reply'
  > {
  readonly problems: readonly ProblemCode[];
  readonly heedsIdempotencyKey: boolean;
  readonly asks: () => Promise<z.ZodObject>;
  /** @throws Problem, and what the processor throws */
  handle(request: RouteRequest, services: Services): Promise<Response>;
}

/** Makes a route: what comes is parsed before anything is done, and refused with all that is wrong with it. */
export function defineRoute<Question extends z.ZodObject, Reply extends z.ZodType>(
  definition: RouteDefinition<Question, Reply>,
): Route {
  const { answer, jobCount, isList = false, problems = [], ...rest } = definition;
  const asks = once(async () => definition.asks());
  return {
    ...rest,
    asks,
    problems,
    heedsIdempotencyKey: jobCount !== undefined,
    async handle(request, services) {
      const schema = await asks();
      const { asked, issues } = await readQuestion(request, schema.shape);
      const result = await schema.safeParseAsync(asked);
      const wrong = [...issues, ...(result.success ? [] : toIssues(result.error).map(withoutPlace))];
      if (!result.success || wrong.length > 0) throw invalid(wrong);
      const respond = async (jobIds?: readonly string[]) => {
        const { raw, callerRole, maxBytes } = request;
        const { signal, headers: sent } = raw;
        const trace = traceOf({ traceparent: sent.get('traceparent'), tracestate: sent.get('tracestate') });
        const circumstances = { ...services, callerRole, maxBytes, signal, trace, jobIds };
        const { body, headers = {} } = await answer(result.data, circumstances).catch(explainRefusal);
        return { status: definition.reply.status, headers, body: JSON.stringify(body) };
      };
      if (isList) return toResponse(await inTurn(respond));
      if (jobCount === undefined) return toResponse(await respond());
      const adding = { ...request, asked: result.data, jobCount: jobCount(result.data) };
      return toResponse(await answerOnce(services.processor, adding, respond));
    },
  };
}

/** What the processor refuses was asked for: elsewhere such an error is a mistake of ours, and not told. */
function explainRefusal(error: unknown): never {
  throw isKind(error, ValidationError) ? invalid(error.issues) : error;
}

/** Everything that was sent, not parsed yet, and what is too much of it. @throws Problem for a body that is no JSON */
async function readQuestion({ raw, parameters }: RouteRequest, shape: z.ZodRawShape) {
  const { query, issues } = readQuery(raw.url, shape.query);
  if (shape.body) return { asked: { parameters, query, body: await readJsonObject(raw) }, issues };
  return { asked: { parameters, query }, issues: [...issues, ...(await issuesOfNeedlessBody(raw))] };
}

/** `query.limit` is `limit` to who sent it, and `query.status.1` the second `status`. */
function withoutPlace({ path, message }: Issue): Issue {
  const [place, ...names] = path.split('.');
  if (place === 'query') return { path: names[0] ?? '', message };
  return { path: path.replace(/^(parameters|body)(\.|$)/, ''), message };
}
