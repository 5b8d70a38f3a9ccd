import { RemoteException } from '../../../src/index.js';
import { originOf } from './origin.js';
import type { Answer, Outgoing } from './send.js';

/**
 * Returns the request that an answer redirects to, or undefined. It stays a POST with its body, also after 301 and 302,
 * where browsers make a GET. A webhook without its body has not arrived. 303 says that the body has arrived and the
 * result is found elsewhere.
 *
 * The body and its signature are for the origin that they were sent to. Otherwise anyone who can make it redirect would
 * receive them. A GET after 303 has neither.
 *
 * @throws RemoteException for a target that is not http or https, that goes from https to http, or that is of another origin
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
