import { Hono } from 'hono';
import { callbackLinks } from '../../../src/step/callbacks.js';
import { once } from '../../once.js';
import { Problem } from '../problem.js';
import type { CallbackOptions } from './answer-callback.js';

/**
 * Serves the links of callbacks. They need no key, because the token in a link is the right to answer once. The pages
 * are loaded at the first request. Without secrets for the links, every path here is unknown.
 */
export function callbackRoutes(options: CallbackOptions): Hono {
  const pages = once(async () => (await import('./answer-callback.js')).createCallbackPages(options));
  return new Hono().on(['GET', 'POST'], '/:token', async ({ req, env }) => {
    if (!options.processor[callbackLinks]()) throw new Problem('route_not_found', { detail: off });
    return (await pages()).fetch(req.raw, env);
  });
}

const off =
  'Callbacks are off: set CALLBACK_URL, and CALLBACK_SECRETS to a secret of at least 32 characters.';
