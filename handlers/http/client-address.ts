import ipaddr from 'ipaddr.js';
import * as z from 'zod';

const http = z.object({ requestContext: z.object({ http: z.object({ sourceIp: z.string() }) }) });
const rest = z.object({ requestContext: z.object({ identity: z.object({ sourceIp: z.string() }) }) });
const forwarded = 'x-forwarded-for';
const loadBalancer = z.object({
  requestContext: z.object({ elb: z.unknown() }),
  event: z.union([
    z
      .object({ headers: z.object({ [forwarded]: z.string() }) })
      .transform(({ headers }) => headers[forwarded]),
    z
      .object({ multiValueHeaders: z.object({ [forwarded]: z.array(z.string()) }) })
      .transform(({ multiValueHeaders }) => multiValueHeaders[forwarded].join()),
  ]),
});
const socket = z.object({ incoming: z.object({ socket: z.object({ remoteAddress: z.string() }) }) });

/**
 * Schema of the sender's address, as HTTP APIs and function URLs, REST APIs, load balancers and Node's server give it.
 */
const environmentSchema = z.union([
  http.transform(({ requestContext }) => requestContext.http.sourceIp),
  loadBalancer.transform(({ event }) => lastOf(event)),
  rest.transform(({ requestContext }) => requestContext.identity.sourceIp),
  socket.transform(({ incoming }) => incoming.socket.remoteAddress),
]);

/** Stands for all senders without a known address. They are counted together. */
export const UNKNOWN = 'unknown';

/**
 * Returns the address that a request comes from, as the platform gives it. Senders can forge headers such as
 * X-Forwarded-For, except the part that a load balancer appends. An IPv6 address becomes its network, such as
 * `2001:db8::/64`. A subscriber has at least such a network, and can send from any address in it.
 *
 * @param environment the platform's part of a request, which hono calls `env`
 */
export function clientAddress(environment: unknown): string {
  const { data } = environmentSchema.safeParse(environment);
  if (data === undefined || !ipaddr.isValid(data)) return UNKNOWN;
  const address = ipaddr.process(data);
  if (!('parts' in address)) return address.toString();
  const network = new ipaddr.IPv6([...address.parts.slice(0, 4), 0, 0, 0, 0]);
  return `${network.toString()}/64`;
}

/** Returns the last address, which the load balancer itself has added. The text may include a port. */
function lastOf(addresses: string): string {
  const last = addresses.slice(addresses.lastIndexOf(',') + 1).trim();
  const [, bracketed, v4] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d+)?$/.exec(last) ?? [];
  return bracketed ?? v4 ?? last;
}
