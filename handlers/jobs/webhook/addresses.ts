import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { RemoteException } from '../../../src/index.js';

/** Which IP addresses may be connected to. */
export type AddressRule = (address: string) => boolean;

export const anyAddress: AddressRule = () => true;

/** Where all public IPv6 addresses lie. What is outside may be a disguise, such as `::127.0.0.1`. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * True for an address on the public internet; false for loopback, private, link-local (a cloud's metadata),
 * carrier-grade NAT, multicast and all other special ranges, also when wrapped in an IPv6 address.
 */
export const isPublicAddress: AddressRule = (text) => {
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST);
};

/** Checks a URL whose host is an address: no name is looked up then. @throws RemoteException */
export function checkAddress({ hostname }: URL, mayConnectTo: AddressRule): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && !mayConnectTo(host)) throw refusal(host, host);
}

/**
 * Looks up a name for a connection about to be made, and refuses one that has an address which the rule refuses.
 * The addresses checked are the ones connected to: a name that changes in between gains nothing.
 */
export function checkedLookup(mayConnectTo: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const refused = addresses.find(({ address }) => !mayConnectTo(address));
      if (refused) return callback(refusal(hostname, refused.address), []);
      const [first] = addresses;
      return options.all ? callback(null, addresses) : callback(null, first?.address ?? '', first?.family);
    });
  };
}

function refusal(host: string, address: string): RemoteException {
  return new RemoteException(
    `Refused to connect to ${host}: ${address} is not a public address. WEBHOOK_ALLOW_PRIVATE_ADDRESSES=true allows it.`,
  );
}
