import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect } from 'vitest';
import { z } from 'zod';
import { type AppOptions, createApp } from '../../../handlers/http/app.js';
import { type HttpServer, startHttpServer } from '../../../local/http-server.js';
import { roles } from '../../../src/access/role.js';
import type { ApiKey } from '../../../src/config.js';
import type { JobsReady, Logger, RemoteProcessor } from '../../../src/index.js';
import { collectionNames } from '../../collection-names.js';
import { type TestDatabase, type TestDatabaseOptions, useDatabase } from '../../database.js';
import { anything, echo, failing } from '../../jobs.js';
import { expectDocumented } from './openapi-document.js';

/** A key for each role: `key-of-read` and so on. */
export const apiKeys: ApiKey[] = roles.map((role) => ({
  id: `the-${role}`,
  role,
  digest: createHash('sha256').update(`key-of-${role}`).digest(),
}));

/** How links that answer callbacks are made. */
export const callbacks = {
  url: 'https://jobs.example.com',
  secrets: ['a-secret-for-links-of-callbacks-1234'],
};

export interface Call {
  /** The method. Default: POST with a body, GET without. */
  readonly method?: string;
  /** The API key. Null sends none. Default: the writer's. */
  readonly key?: string | null;
  /** The body, sent as JSON, except that a string is sent unchanged. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** The HTTP API on a socket, with its own database. */
export interface TestApi {
  readonly database: TestDatabase;
  readonly processor: RemoteProcessor;
  /** The API's own processor, which kicks. */
  readonly served: RemoteProcessor;
  readonly url: string;
  /** The number of kicks for jobs that can run now. */
  readonly kicks: number;
  /** Everything that the API has logged, as text. */
  readonly logged: string;
  /** Sends a request, and expects that the OpenAPI document describes the answer. */
  call(path: string, call?: Call): Promise<Response>;
  storedJobs(): Promise<number>;
}

/** Sets up the API. Call it at the top of a test file, and use the result inside tests. */
export function useApi(
  options: Partial<AppOptions> = {},
  databaseOptions: TestDatabaseOptions = {},
): TestApi {
  const database = useDatabase(databaseOptions);
  let server: HttpServer;
  let processor: RemoteProcessor;
  let served: RemoteProcessor;
  let kicks = 0;
  let lines: string[] = [];

  beforeEach(async () => {
    kicks = 0;
    lines = [];
    const kick = async ({ jobs }: JobsReady) => {
      if (jobs > 0) kicks += 1;
    };
    processor = database.processor({ callbacks });
    served = database.processor({ kick, callbacks });
    for (const each of [processor, served]) await each.addJobFactories([anything, echo, failing]);
    const app = createApp({ processor: served, apiKeys, log: recorder(lines), ...options });
    server = await startHttpServer(app, '127.0.0.1', 0);
  });
  afterEach(() => server.stop());

  return {
    database,
    get processor() {
      return processor;
    },
    get served() {
      return served;
    },
    get url() {
      return server.url;
    },
    get kicks() {
      return kicks;
    },
    get logged() {
      return lines.join('\n');
    },
    async call(path, { body, method = body === undefined ? 'GET' : 'POST', ...rest } = {}) {
      const { key = 'key-of-write', headers = {}, signal } = rest;
      const response = await fetch(`${server.url}${path}`, {
        method,
        ...(signal && { signal }),
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        headers: {
          ...(key !== null && { authorization: `Bearer ${key}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
      });
      await expectDocumented({ method, url: response.url, body }, response.clone());
      return response;
    },
    storedJobs: () => database.db.collection(collectionNames.jobs).countDocuments(),
  };
}

const jobSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  errors: z.array(z.unknown()).optional(),
});

/** Returns the job, or its state, in an answer. */
export async function jobOf(response: Response) {
  return jobSchema.parse(await response.json());
}

const idsSchema = z.looseObject({ ids: z.array(z.string()) });

/** Returns the ids of a batch that was added. */
export async function idsOf(response: Response): Promise<string[]> {
  return idsSchema.parse(await response.json()).ids;
}

const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  code: z.string(),
  issues: z.array(z.strictObject({ path: z.string(), message: z.string().min(1) })).default([]),
});

/** Expects a problem document of this status and code, and returns it. */
export async function expectProblem(response: Response, status: number, code: string) {
  const problem = problemSchema.parse(await response.json());
  expect(problem).toMatchObject({ status, code, type: `urn:remote-processor:problem:${code}` });
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return problem;
}

function recorder(lines: string[]): Logger {
  const record = (level: string) => (message: string, fields?: object) => {
    lines.push(JSON.stringify({ level, message, ...fields }));
  };
  return { debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error') };
}
