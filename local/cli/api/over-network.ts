import { isLoopback } from '../../../handlers/http/loopback.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import type { Connection } from './connection.js';

/** The time limit of a request. The slowest answer, which waits for a job, takes less. */
const TIMEOUT_MS = 40_000;

/**
 * Connects to the app at an address.
 *
 * @param address such as https://abc.execute-api.eu-central-1.amazonaws.com, with its stage if it has one
 * @param isInsecure whether plain http to other machines is allowed
 * @throws CommandFailure if the key is missing, or the address is invalid or would let others read the key
 */
export function overNetwork(address: string, apiKey: string | undefined, isInsecure = false): Connection {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.username !== '')
    throw new CommandFailure(
      exitCode.usage,
      `Expected the http or https address of a deployment, not '${address}'`,
      {
        code: 'wrong_usage',
      },
    );
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !isInsecure)
    throw new CommandFailure(
      exitCode.usage,
      `Over plain http anybody on the way to ${url.host} can read the API key: take its https address, or --insecure in a network that you trust`,
      { code: 'insecure_address' },
    );
  if (apiKey === undefined || !/^[\x21-\x7e]+$/.test(apiKey))
    throw new CommandFailure(
      exitCode.refused,
      'Set REMOTE_PROCESSOR_API_KEY to an API key of the deployment: it is never an argument, which others could see',
      { code: 'unauthorized' },
    );
  return {
    url: url.href.replace(/\/+$/, ''),
    apiKey,
    send: (request) =>
      fetch(request, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: unknown) => {
        throw new CommandFailure(
          exitCode.unreachable,
          `${url.origin} cannot be reached: ${reasonOf(error)}`,
          {
            code: 'deployment_unreachable',
            cause: error,
          },
        );
      }),
    close: async () => {},
  };
}

/** Returns why a request failed. Reads the cause, because the error of `fetch` says only that it failed. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const code = 'code' in cause ? String(cause.code) : '';
  return cause.message || code || cause.name;
}
