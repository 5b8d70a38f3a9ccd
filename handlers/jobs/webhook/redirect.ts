import { RemoteException } from '../../../src/index.js';
import { originOf } from './origin.js';
import type { Answer, Outgoing } from './send.js';

/**
 * Returns the request that an answer redirects to, or undefined. The request remains a POST with its body, even after
 * 301 and 302, where browsers switch to GET. A webhook without its body would be useless. After 303 it is a GET, since
 * 303 means that the body was received and the result is at the other URL.
 *
 * The body and its signature are meant only for the first origin. Otherwise anyone who can make the receiver redirect
 * would get them. A GET after 303 has neither of them, so it may go to another origin.
 *
 * @throws RemoteException if the target is not http or https, goes from https to http, or has another origin
 */
export function redirectOf({ status, location }: Answer, from: Outgoing): Outgoing | undefined {
  if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return undefined;
  const url = URL.canParse(location, from.url.href) ? new URL(location, from.url) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new RemoteException(`${from.url.host} redirected to an address that is no http or https URL.`);
  }
  if (from.url.protocol === 'https:' && url.protocol === 'http:') {
    throw new RemoteException(`${from.url.host} redirected from https to http, which is refused.`);
  }
  if (status !== 303 && originOf(url) !== originOf(from.url)) {
    throw new RemoteException(
      `${from.url.host} redirected to another origin, which is refused: body and signature are for ${from.url.origin} alone. Send to the new address.`,
    );
  }
  return status === 303 ? { url, method: 'GET', headers: {}, body: undefined } : { ...from, url };
}
