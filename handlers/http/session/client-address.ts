import ipaddr from 'ipaddr.js';
import * as z from 'zod';

/** What API Gateway, a function URL, or Node's own server know of the other end. */
const environmentSchema = z.union([
  z
    .object({ requestContext: z.object({ http: z.object({ sourceIp: z.string() }) }) })
    .transform(({ requestContext }) => requestContext.http.sourceIp),
  z
    .object({ incoming: z.object({ socket: z.object({ remoteAddress: z.string() }) }) })
    .transform(({ incoming }) => incoming.socket.remoteAddress),
]);

/** Those whose address is not known are counted together. */
const UNKNOWN = 'unknown';

/**
 * Where a request comes from, as the platform tells it: headers such as X-Forwarded-For are the sender's own words. Of
 * IPv6 the network, `2001:db8::/64`: a subscriber has at least so much, and can send from any address in it.
 *
 * @param environment what the app was called with beside the request
 */
export function clientAddress(environment: unknown): string {
  const { data } = environmentSchema.safeParse(environment);
  if (data === undefined || !ipaddr.isValid(data)) return UNKNOWN;
  const address = ipaddr.process(data);
  if (!('parts' in address)) return address.toString();
  const network = new ipaddr.IPv6([...address.parts.slice(0, 4), 0, 0, 0, 0]);
  return `${network.toString()}/64`;
}
