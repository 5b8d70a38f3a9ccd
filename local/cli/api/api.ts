import { once } from '../../../handlers/once.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import type { Connection } from './connection.js';
import { failureOf } from './failure-of.js';

type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface RequestParts {
  /** Query parameters. Undefined ones are left out. A list repeats its parameter. */
  readonly query?: Query;
  /** The body, sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/**
 * A client of the HTTP API, for commands. Connects at the first request.
 *
 * Every request method returns the JSON of the answer. It throws a CommandFailure for a problem document, and for an
 * answer that does not come from a Remote Processor.
 */
export class Api {
  readonly #connection: () => Promise<Connection>;
  #isUsed = false;

  constructor(connect: () => Promise<Connection>) {
    this.#connection = once(connect);
  }

  async get(path: string, query: Query = {}): Promise<unknown> {
    return (await this.send('GET', path, { query })).body;
  }

  async post(path: string, parts: RequestParts = {}): Promise<unknown> {
    return (await this.send('POST', path, parts)).body;
  }

  async patch(path: string, body: unknown): Promise<unknown> {
    return (await this.send('PATCH', path, { body })).body;
  }

  async delete(path: string, query: Query = {}): Promise<unknown> {
    return (await this.send('DELETE', path, { query })).body;
  }

  /** Sends a request like the other methods, and also returns the headers of the answer. */
  async send(
    method: Method,
    path: string,
    { query = {}, body, headers }: RequestParts,
  ): Promise<{ readonly headers: Headers; readonly body: unknown }> {
    this.#isUsed = true;
    const { url, apiKey, send } = await this.#connection();
    const address = new URL(`${url}${path}`);
    for (const [name, value] of Object.entries(query))
      for (const each of Array.isArray(value) ? value : [value])
        if (each !== undefined) address.searchParams.append(name, String(each));
    const request = new Request(address, {
      method,
      redirect: 'manual',
      headers: {
        ...headers,
        authorization: `Bearer ${apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const response = await send(request);
    const text = await response.text();
    if (!response.ok) throw failureOf(response, text);
    return { headers: response.headers, body: text === '' ? undefined : parse(text) };
  }

  /** Closes the connection, if there is one. */
  async close(): Promise<void> {
    if (!this.#isUsed) return;
    const connection = await this.#connection().catch(() => undefined);
    await connection?.close();
  }
}

/** Escapes the ids and names in a path. @throws CommandFailure for an id that no URL path can hold */
export function path(texts: TemplateStringsArray, ...values: readonly string[]): string {
  const escaped = values.map((value) => {
    if (value !== '' && value !== '.' && value !== '..') return encodeURIComponent(value);
    throw new CommandFailure(exitCode.notFound, `Nothing has the id '${value}'.`, { code: 'not_found' });
  });
  return String.raw({ raw: texts }, ...escaped);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(exitCode.unreachable, 'The answer is no JSON: is --url that of a deployment?', {
      code: 'not_a_deployment',
      cause: error,
    });
  }
}
