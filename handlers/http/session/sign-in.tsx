import { Hono } from 'hono';
import type { ApiKey } from '../../../src/config.js';
import type { Logger } from '../../../src/index.js';
import { challenge, findKey } from '../access.js';
import { clientAddress } from '../client-address.js';
import { asDocument } from '../dashboard/as-document.js';
import { addresses } from '../dashboard/assets.js';
import type { DashboardEnvironment } from '../dashboard/environment.js';
import { Page } from '../dashboard/page.js';
import { readForm } from '../dashboard/read-form.js';
import type { WrongKeys } from '../wrong-keys.js';
import type { EndedSessions } from './ended-sessions.js';
import { returnPath } from './return-path.js';
import { hasFormToken } from './same-origin.js';
import { forgetSession, startSession } from './session.js';

export interface SignInOptions {
  readonly apiKeys: readonly ApiKey[];
  readonly sessionSecrets: readonly string[];
  readonly wrongKeys: WrongKeys;
  readonly endedSessions: EndedSessions;
  readonly log: Logger;
}

/**
 * Maximum size of the form, which has a key and the page to go to. Anybody may send it, and nobody needs a larger one.
 */
const MAX_FORM_BYTES = 4096;

/** Routes to sign in with an API key, and to sign out. After ten wrong keys within 15 minutes, an address must wait. */
export function signInRoutes({ apiKeys, sessionSecrets, wrongKeys, endedSessions, log }: SignInOptions) {
  const noKeys = apiKeys.length === 0 ? 'No API key is configured: set API_KEYS, then sign in.' : undefined;
  return new Hono<DashboardEnvironment>()
    .get('/sign-in', (context) => {
      const next = returnPath(context.req.query('next'));
      if (context.env.session) return context.redirect(next, 303);
      return context.html(signInPage(next, noKeys));
    })
    .post('/sign-in', async (context) => {
      const form = await readForm(context.req.raw, MAX_FORM_BYTES);
      const next = returnPath(form.get('next'));
      const address = clientAddress(context.env);
      const key = findKey(apiKeys, form.get('key')?.trim() ?? '');
      if (!key) {
        const limitedMs = await wrongKeys.count(address);
        if (limitedMs === undefined) {
          const problem = noKeys ?? 'This is not a key of this installation.';
          return context.html(signInPage(next, problem), 401, challenge);
        }
        const seconds = Math.ceil(limitedMs / 1000);
        context.header('retry-after', String(seconds));
        return context.html(signInPage(next, waitFor(seconds)), 429);
      }
      await startSession(context, sessionSecrets, key);
      log.info('Signed in', { key: key.id, address });
      return context.redirect(next, 303);
    })
    .post('/sign-out', async (context) => {
      const { session } = context.env;
      if (session && hasFormToken(await readForm(context.req.raw, MAX_FORM_BYTES), session)) {
        await endedSessions.add(session);
        forgetSession(context);
      }
      return context.redirect('/sign-in', 303);
    });
}

function waitFor(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return `Too many wrong keys came from your address. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`;
}

function signInPage(next: string, problem: string | undefined) {
  return asDocument(
    <Page title="Sign in">
      <form class="card sign-in" method="post" action="/sign-in" data-plain>
        <p class="brand">
          <img src={addresses.icon} alt="" width="24" height="24" />
          <span>Remote Processor</span>
        </p>
        <h1>Sign in</h1>
        <p class="quiet">With a key of the HTTP API. What you may do here is what its role allows.</p>
        {problem && (
          <p id="problem" class="problem-text" role="alert">
            {problem}
          </p>
        )}
        <label for="key">API key</label>
        <input
          id="key"
          name="key"
          type="password"
          required
          autofocus
          autocomplete="current-password"
          spellcheck={false}
          aria-invalid={problem ? 'true' : undefined}
          aria-describedby={problem ? 'problem' : undefined}
        />
        <input type="hidden" name="next" value={next} />
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
    </Page>,
  );
}
