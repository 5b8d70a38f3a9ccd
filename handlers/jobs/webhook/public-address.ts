import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { RemoteException } from '../../../src/index.js';

/** Where all public IPv6 addresses lie. What is outside may be a disguise, such as `::127.0.0.1`. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * True for an address on the public internet; false for loopback, private, link-local (a cloud's metadata),
 * carrier-grade NAT, multicast and all other special ranges, also when wrapped in an IPv6 address.
 */
export function isPublicAddress(text: string): boolean {
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST);
}

/** Refuses a URL whose host is written as an address that is not public. @throws RemoteException */
export function refusePrivateHost({ hostname }: URL): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && !isPublicAddress(host)) throw refusal(host, host);
}

/**
 * Resolves a name for a connection about to be made, and refuses names with an address that is not public.
 * The address that was checked is the one connected to, so that a name which changes in between gains nothing.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const refused = addresses?.find(({ address }) => !isPublicAddress(address));
    const [first] = addresses ?? [];
    if (error) callback(error, []);
    else if (refused) callback(refusal(hostname, refused.address), []);
    else if (options.all) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  });
};

function refusal(host: string, address: string): RemoteException {
  return new RemoteException(
    `Refused to connect to ${host}: ${address} is not a public address. WEBHOOK_ALLOW_PRIVATE_ADDRESSES=true allows it.`,
  );
}
