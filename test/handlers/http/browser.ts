import { createHash } from 'node:crypto';
import { type AppOptions, createApp } from '../../../handlers/http/app.js';
import { silent } from '../../database.js';
import { apiKeys, type TestApi } from './api.js';

export const secrets = ['a-secret-for-the-tests-of-sessions-1'];

/** A browser as the server sees one. It keeps cookies, follows no redirects, and sends the origin of a form's page. */
export class Browser {
  readonly cookies = new Map<string, string>();

  constructor(
    readonly send: (request: Request) => Response | Promise<Response>,
    readonly origin: string,
  ) {}

  async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#fetch(path, { headers });
  }

  /** Sends a form as a page of this site would. A list stands for a field that occurs more than once. */
  async post(
    path: string,
    fields: Readonly<Record<string, string | readonly string[]>>,
    headers: Record<string, string> = { 'sec-fetch-site': 'same-origin', origin: this.origin },
  ): Promise<Response> {
    const body = new URLSearchParams();
    for (const [name, values] of Object.entries(fields))
      for (const value of [values].flat()) body.append(name, value);
    return this.#fetch(path, { method: 'POST', body, headers });
  }

  /** Sends a form with the token of a page. */
  async submit(
    path: string,
    fields: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<Response> {
    return this.post(path, { token: await this.token(), ...fields });
  }

  /** Returns the session's token from the forms of a page. */
  async token(): Promise<string> {
    const page = await (await this.get('/dashboard/schedulers')).text();
    return /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';
  }

  async signIn(key: string): Promise<Response> {
    return this.post('/sign-in', { key });
  }

  async #fetch(path: string, options: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...options.headers, ...(cookie && { cookie }) };
    const response = await this.send(new Request(this.origin + path, { ...options, headers }));
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/max-age=0/i.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

/** Returns an environment with the address of the client, in the form of API Gateway. */
export function from(sourceIp: string): object {
  return { requestContext: { http: { sourceIp } } };
}

/** Returns a browser on the app of `useApi`, but with a dashboard. @param environment says who the client is */
export function browse(
  api: TestApi,
  options: Partial<AppOptions> = {},
  environment: object = from('203.0.113.7'),
) {
  const app = createApp({
    processor: api.served,
    apiKeys,
    sessionSecrets: secrets,
    log: silent,
    ...options,
  });
  return new Browser((request) => app.fetch(request, environment), 'https://jobs.example');
}

/** Returns a browser that is signed in. */
export async function signedIn(
  api: TestApi,
  role: 'read' | 'write' | 'admin',
  options: Partial<AppOptions> = {},
) {
  const browser = browse(api, options);
  await browser.signIn(`key-of-${role}`);
  return browser;
}

/** Returns the settings' entry for an API key. */
export function keyOf(id: string, role: 'read' | 'write' | 'admin', key: string) {
  return { id, role, digest: createHash('sha256').update(key).digest() };
}
