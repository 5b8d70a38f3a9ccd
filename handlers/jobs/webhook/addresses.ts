import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { RemoteException } from '../../../src/index.js';

/** Returns whether an IP address may be connected to. */
export type AddressRule = (address: string) => boolean;

export const anyAddress: AddressRule = () => true;

/** The range of all public IPv6 addresses. An address outside of it may wrap an IPv4 address, such as `::127.0.0.1`. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Addresses that look public, but serve a cloud's metadata: facts about a machine and its permissions. Other such
 * addresses are in special ranges: 169.254.0.0/16 and fd00::/8 in most clouds, 100.64.0.0/10 at Alibaba and Volcengine,
 * 192.0.0.0/24 at Oracle.
 */
const ofClouds: ReadonlySet<string> = new Set([
  '168.63.129.16', // Azure
  '192.80.8.124', // Equinix Metal
]);

/**
 * Returns whether an address is on the public internet. False for loopback, private, link-local (a cloud's metadata),
 * carrier-grade NAT, multicast and all other special ranges, even when wrapped in an IPv6 address.
 */
export const isPublicAddress: AddressRule = (text) => {
  const address = ipaddr.process(text);
  if (ofClouds.has(address.toString())) return false;
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST);
};

/** Checks a URL whose host is an address, since no name is looked up then. @throws RemoteException */
export function checkAddress({ hostname }: URL, mayConnectTo: AddressRule): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && !mayConnectTo(host)) throw refusal(`${host}: it`);
}

/**
 * Returns a function that looks up a name for a new connection. It refuses the name if the rule refuses any of the
 * name's addresses. The connection uses the checked addresses, so a later change of the name's addresses has no effect.
 */
export function checkedLookup(mayConnectTo: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      if (!addresses.every(({ address }) => mayConnectTo(address)))
        return callback(refusal(`${hostname}: its address`), []);
      const [first] = addresses;
      return options.all ? callback(null, addresses) : callback(null, first?.address ?? '', first?.family);
    });
  };
}

/**
 * Returns an error that does not reveal a name's address, since outsiders must not learn addresses of the internal
 * network.
 */
function refusal(what: string): RemoteException {
  return new RemoteException(
    `Refused to connect to ${what} is not a public address. WEBHOOK_ALLOW_PRIVATE_ADDRESSES=true allows it.`,
  );
}
