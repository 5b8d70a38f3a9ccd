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

export interface Services {
  readonly processor: RemoteProcessor;
  /** Returns the milliseconds until the answer must be sent. Infinite if there is no limit. */
  readonly timeLeft: () => number;
  /** Returns the base path before the paths of the routes, such as `/prod`. Usually empty. */
  readonly basePath: () => string;
}

/** A request by an identified caller. */
export interface RouteRequest {
  readonly raw: Request;
  /** The parameters in the path, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly callerId: string;
  readonly callerRole: Role;
  readonly maxBytes: number;
}

export interface Circumstances extends Services {
  /** Maximum size of the members of the sent answer, in bytes. */
  readonly maxBytes: number;
  /** The role of the caller, on whose behalf the processor acts. */
  readonly callerRole: Role;
  /** Name of the caller in logs. */
  readonly callerId: string;
  /** Fires when the client disconnects. */
  readonly signal: AbortSignal;
  /** The trace in the request's headers, or undefined if they have no valid one. */
  readonly trace: Trace | undefined;
  /** Ids for the new jobs, so that a second try finds the jobs of the first. Undefined if any ids will do. */
  readonly jobIds: readonly string[] | undefined;
}

/** An answer. Dates in it become text when it is sent. */
export interface Answer<Body> {
  readonly body: Body;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An operation of the API. Its schemas validate requests, type its answers, and describe both in the OpenAPI document. */
export interface RouteDefinition<Question extends z.ZodObject, Reply extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** The path as OpenAPI writes it, such as `/v1/jobs/{id}`. */
  readonly path: string;
  /** The name in the OpenAPI document. */
  readonly operation: string;
  /** The least role that a caller must have. */
  readonly role: Role;
  readonly summary: string;
  readonly description?: string;
  /**
   * Returns the schema of the question. `parameters` are those in the path. Members of `query` are text, or lists of
   * text for parameters that may be repeated. `body` is JSON. The schema is made, or loaded, on first use.
   */
  readonly asks: () => Question | Promise<Question>;
  readonly bodyExample?: unknown;
  readonly reply: {
    readonly status: 200 | 201 | 202 | 204;
    readonly description: string;
    readonly schema: () => Reply;
    /** Descriptions of the answer's headers, by name. */
    readonly headers?: Readonly<Record<string, string>>;
    readonly example?: unknown;
  };
  /** Possible problems, besides those that every route may have. */
  readonly problems?: readonly ProblemCode[];
  /** Whether the answer is a page of a list. Such a page may have 5 MB, and takes many times as much memory. */
  readonly isList?: boolean;
  /** Returns the maximum number of jobs that a request adds. If present, the route supports `Idempotency-Key`. */
  readonly jobCount?: (question: z.output<Question>) => number;
  /** Whether programs call the route about once per job. The audit log then leaves out their requests. Default false. */
  readonly isTraffic?: boolean;
  /**
   * Members of the answer that the audit log tells, besides its `id`, which names the added thing. For things without a
   * path of their own. Default: none.
   */
  readonly told?: readonly string[];
  /** Answers a question. @throws Problem, and errors of the processor */
  answer(question: z.output<Question>, circumstances: Circumstances): Promise<Answer<z.input<Reply>>>;
}

/** The part of a route that does not depend on the types of its question and answer. */
export interface Route
  extends Pick<
    RouteDefinition<z.ZodObject, z.ZodType>,
    'method' | 'path' | 'operation' | 'role' | 'summary' | 'description' | 'bodyExample' | 'reply'
  > {
  readonly problems: readonly ProblemCode[];
  readonly heedsIdempotencyKey: boolean;
  readonly isTraffic: boolean;
  readonly told: readonly string[];
  readonly asks: () => Promise<z.ZodObject>;
  /** Handles a request. @throws Problem, and errors of the processor */
  handle(request: RouteRequest, services: Services): Promise<Response>;
}

/**
 * Makes a route. The route checks a request before it does anything. It refuses a wrong request with a list of all
 * errors.
 */
export function defineRoute<Question extends z.ZodObject, Reply extends z.ZodType>(
  definition: RouteDefinition<Question, Reply>,
): Route {
  const {
    answer,
    jobCount,
    isList = false,
    isTraffic = false,
    told = [],
    problems = [],
    ...rest
  } = definition;
  const asks = once(async () => definition.asks());
  return {
    ...rest,
    asks,
    problems,
    isTraffic,
    told,
    heedsIdempotencyKey: jobCount !== undefined,
    async handle(request, services) {
      const schema = await asks();
      const { asked, issues } = await readQuestion(request, schema.shape);
      const result = await schema.safeParseAsync(asked);
      const wrong = [...issues, ...(result.success ? [] : toIssues(result.error).map(withoutPlace))];
      if (!result.success || wrong.length > 0) throw invalid(wrong);
      const respond = async (jobIds?: readonly string[]) => {
        const { raw, callerRole, callerId, maxBytes } = request;
        const { signal, headers: sent } = raw;
        const trace = traceOf({ traceparent: sent.get('traceparent'), tracestate: sent.get('tracestate') });
        const circumstances = { ...services, callerRole, callerId, maxBytes, signal, trace, jobIds };
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

/**
 * Turns the processor's ValidationError into a problem, since the caller's input caused the error here. Elsewhere such
 * an error is our own mistake, and its details are not sent.
 */
export function explainRefusal(error: unknown): never {
  throw isKind(error, ValidationError) ? invalid(error.issues) : error;
}

/**
 * Reads all parts of a request, unparsed, and the issues of unexpected parts.
 *
 * @throws Problem for a body that is not JSON
 */
async function readQuestion({ raw, parameters }: RouteRequest, shape: z.ZodRawShape) {
  const { query, issues } = readQuery(raw.url, shape.query);
  if (shape.body) return { asked: { parameters, query, body: await readJsonObject(raw) }, issues };
  return { asked: { parameters, query }, issues: [...issues, ...(await issuesOfNeedlessBody(raw))] };
}

/** Names a place as the sender knows it: `query.limit` is `limit`, and `query.status.1` is the second `status`. */
function withoutPlace({ path, message }: Issue): Issue {
  const [place, ...names] = path.split('.');
  if (place === 'query') return { path: names[0] ?? '', message };
  return { path: path.replace(/^(parameters|body)(\.|$)/, ''), message };
}
