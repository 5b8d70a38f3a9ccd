import * as z from 'zod';
import { isKind } from '../../src/brand.js';
import { durationSchema } from '../../src/duration.js';
import { type AddRole, defineJob, type JobContext, RemoteException } from '../../src/index.js';
import { signedHeaders } from '../../src/sign-webhook.js';
import type { AddressRule } from './webhook/addresses.js';
import { originOf } from './webhook/origin.js';
import { redirectOf } from './webhook/redirect.js';
import type { Answer, Outgoing, SendOptions } from './webhook/send.js';

/**
 * Time limits of an exchange, in milliseconds. Receivers should answer at once and work later. A request to a slower
 * receiver is retried.
 */
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 120_000;
const MAX_REDIRECTS = 5;
/**
 * Length of the answer's beginning that is kept, in characters. It is enough to see why the receiver refused a request.
 */
const EXCERPT_LENGTH = 1_000;

export interface WebhookSettings {
  /** The secret that signs the body, see `signedHeaders`. Without a secret, the body is not signed. */
  readonly secret: string | undefined;
  /** Secrets for receivers at certain origins, such as `https://hooks.example.com`, used in place of `secret`. */
  readonly secrets?: ReadonlyMap<string, string> | undefined;
  /**
   * The rule for addresses to which a webhook may be sent, normally `isPublicAddress`. With `anyAddress`, everybody who
   * may add the job can reach the worker's private network.
   */
  readonly mayConnectTo: AddressRule;
  /** The `addRole` of the job. By default, anyone who may add jobs may send webhooks. */
  readonly addRole?: AddRole;
}

const inputSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .max(2_000)
    .refine((url) => !hasUserInfo(url), 'expected a URL without user name and password'),
  /** Any JSON. */
  body: z.unknown(),
  /** Time limit for the whole exchange, including redirects. */
  timeout: durationSchema
    .refine((ms) => ms >= 1 && ms <= MAX_TIMEOUT_MS, `expected at most ${MAX_TIMEOUT_MS} milliseconds`)
    .default(DEFAULT_TIMEOUT_MS),
});

type Input = z.output<typeof inputSchema>;

/**
 * Posts a JSON body to a URL, and returns the status and the beginning of the answer.
 *
 * 5xx, 408, 425, 429, network errors and a timeout are retried. Other answers except 2xx are not retried, and refused
 * addresses are not either, since another attempt would end the same way.
 *
 * Redirects are followed only within the origin of the URL, since body and signature are meant for that origin alone.
 *
 * A receiver may get the same job more than once. The header `Idempotency-Key` is the job's id, which is the same each
 * time.
 */
export function webhook({ secret, secrets, mayConnectTo, addRole = 'write' }: WebhookSettings) {
  const ownSecrets = new Map([...(secrets ?? [])].map(([origin, own]) => [originOf(new URL(origin)), own]));
  return defineJob({
    name: 'webhook',
    addRole,
    input: inputSchema,
    maxRetries: 5,
    run: async ({ input, signal, jobId, attempt }) => {
      const own = ownSecrets.get(originOf(new URL(input.url))) ?? secret;
      const request = toRequest(input, { secret: own, jobId, attempt });
      const timeout = AbortSignal.timeout(input.timeout);
      const options = { mayConnectTo, signal: AbortSignal.any([signal, timeout]) };
      const answer = await deliver(request, options).catch((error: unknown) => {
        throw timeout.aborted
          ? new Error(`No answer from ${request.url.host} within ${input.timeout} ms.`)
          : error;
      });
      return judge(answer, request.url);
    },
  });
}

interface Sender extends Pick<JobContext, 'jobId' | 'attempt'> {
  readonly secret: string | undefined;
}

function toRequest({ url, body: data = null }: Input, { secret, jobId, attempt }: Sender): Outgoing {
  const body = JSON.stringify(data);
  const id = encodeURIComponent(jobId); // Ids may contain characters that headers may not.
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'remote-processor',
    'idempotency-key': id,
    'webhook-attempt': String(attempt),
    ...signedHeaders(secret, id, body, new Date()),
  };
  return { url: new URL(url), method: 'POST', headers, body };
}

/** Sends a request and follows redirects. Each address is checked anew. */
async function deliver(request: Outgoing, options: SendOptions): Promise<Answer> {
  const { send } = await import('./webhook/send.js'); // Loaded on demand, since Node's HTTP modules load slowly.
  let current = request;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const answer = await send(current, options).catch((error: unknown) => explain(error, current.url));
    const next = redirectOf(answer, current);
    if (next === undefined) return answer;
    current = next;
  }
  throw new RemoteException(`${request.url.host} redirected more than ${MAX_REDIRECTS} times.`);
}

/** Replaces a network error by one without its message or cause, since these could reveal an internal address. */
function explain(error: unknown, { host }: URL): never {
  if (isKind(error, RemoteException) || !(error instanceof Error)) throw error;
  const { syscall, code } = systemErrorSchema.safeParse(error).data ?? {};
  const reason =
    code === undefined ? error.name : [syscall, code].filter((part) => part !== undefined).join(' ');
  throw new Error(`Could not reach ${host}: ${reason}`);
}

/** Schema of Node's description of a failed connection. */
const systemErrorSchema = z.object({ syscall: z.string().optional(), code: z.string().optional() });

function judge({ status, text }: Answer, { host }: URL) {
  const excerpt = text.slice(0, EXCERPT_LENGTH).toWellFormed();
  if (status >= 200 && status < 300) return { status, body: excerpt };
  const message = `${host} answered ${status}: ${excerpt}`;
  if (status >= 500 || [408, 425, 429].includes(status)) throw new Error(message);
  throw new RemoteException(message);
}

function hasUserInfo(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}
