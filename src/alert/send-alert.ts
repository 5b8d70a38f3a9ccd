import { setTimeout as wait } from 'node:timers/promises';
import { signedHeaders } from '../sign-webhook.js';

/** Time limit of a try. */
const TRY_MS = 5_000;

const TRIES = 3;
const BETWEEN_TRIES_MS = 1_000;

/** The webhook that receives an alert. */
export interface AlertReceiver {
  readonly url: string;
  readonly secret?: string | undefined;
}

/**
 * Thrown if an alert was not accepted. Shows neither the address nor the answer, since the address of a webhook is a secret.
 */
class AlertRefused extends Error {
  constructor(
    reason: string,
    /** Whether the receiver certainly did not accept it, but may accept it later. */
    readonly mayTryAgain: boolean,
  ) {
    super(`The receiver of alerts ${reason}.`);
  }
}

/**
 * Posts an alert. Tries again only if the receiver certainly did not accept it: it could not be reached, or it answered with
 * 429 or 5xx. Each try has the same `webhook-id`. Takes up to 17 s.
 *
 * @throws an error that does not show the address
 */
export async function sendAlert(receiver: AlertReceiver, id: string, body: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await post(receiver, id, body);
      return;
    } catch (error) {
      if (tries >= TRIES || !(error instanceof AlertRefused) || !error.mayTryAgain) throw error;
      await wait(BETWEEN_TRIES_MS);
    }
  }
}

async function post({ url, secret }: AlertReceiver, id: string, body: string): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'remote-processor',
    ...signedHeaders(secret, id, body, new Date()),
  };
  const signal = AbortSignal.timeout(TRY_MS);
  let status: number;
  try {
    const answer = await fetch(url, { method: 'POST', redirect: 'manual', headers, body, signal });
    ({ status } = answer);
    await answer.body?.cancel();
  } catch (error) {
    throw signal.aborted
      ? new AlertRefused(`did not answer within ${TRY_MS / 1000} s`, false)
      : new AlertRefused(`could not be reached${codeOf(error)}`, true);
  }
  if (status >= 200 && status < 300) return;
  throw new AlertRefused(`answered ${status}`, status === 429 || status >= 500);
}

/**
 * Returns the system's code of a failed connection, such as ECONNREFUSED. The message is not used, because it could hold the
 * address.
 */
function codeOf(error: unknown): string {
  const code =
    error instanceof Error && error.cause instanceof Error && 'code' in error.cause ? error.cause.code : '';
  return typeof code === 'string' && code !== '' ? ` (${code})` : '';
}
