import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';

/** Address and secrets for the links that answer callbacks. */
export interface CallbacksOptions {
  /** Address at which the HTTP API is reached from outside, such as `'https://jobs.example.com'`. */
  readonly url: string;
  /** Secrets of at least 32 characters. The first signs links. Links signed by any of them are accepted. */
  readonly secrets: readonly string[];
}

const MIN_SECRET = 32;

export const callbacksSchema: z.ZodType<CallbacksOptions> = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'expected an address such as https://jobs.example.com' }),
  secrets: z.array(z.string().min(MIN_SECRET)).min(1),
});

/** The step that a callback answers. */
export interface CallbackOf {
  readonly jobId: string;
  readonly step: string;
  readonly run: number;
}

/** Makes and reads the links of callbacks. A link depends only on its job, run and step, so it is always the same. */
export class Callbacks {
  constructor(private readonly options: CallbacksOptions) {}

  urlOf(of: CallbackOf): string {
    const [secret = ''] = this.options.secrets;
    const content = Buffer.from(JSON.stringify([of.jobId, of.run, of.step])).toString('base64url');
    const base = this.options.url.replace(/\/+$/, '');
    return `${base}/callbacks/${content}.${signatureOf(content, secret).toString('base64url')}`;
  }

  /** Returns the step of a token, or undefined for a token that was not made here. */
  read(token: string): CallbackOf | undefined {
    const [content = '', signature = '', ...more] = token.split('.');
    const given = Buffer.from(signature, 'base64url');
    const isOurs = this.options.secrets.some((secret) => {
      const right = signatureOf(content, secret);
      return given.length === right.length && timingSafeEqual(given, right);
    });
    if (!isOurs || more.length > 0) return undefined;
    const [jobId, run, step] = tokenSchema.parse(JSON.parse(Buffer.from(content, 'base64url').toString()));
    return { jobId, run, step };
  }
}

/**
 * Name of a method of the processor. The HTTP API gets the callbacks through it. The name is a shared symbol, since the
 * processor may come from another copy of this package.
 */
export const callbackLinks: unique symbol = Symbol.for('remote-processor.callbackLinks');

/** The part of a processor that gives access to its callbacks. */
export interface WithCallbacks {
  readonly [callbackLinks]: () => Callbacks | undefined;
}

const tokenSchema = z.tuple([z.string(), z.number(), z.string()]);

function signatureOf(content: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`callback ${content}`).digest();
}

/** The longest name of a signal. */
const MAX_NAME = 200;

/** Name of the signal that answers a callback. A long name of a step is hashed to make it fit. */
export function callbackSignal({ step, run }: Omit<CallbackOf, 'jobId'>): string {
  const name = `callback ${run} ${step}`;
  if (name.length <= MAX_NAME) return name;
  return `callback ${run} ${createHash('sha256').update(step).digest('base64url')}`;
}
