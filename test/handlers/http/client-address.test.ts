import { expect, test } from 'vitest';
import { clientAddress } from '../../../handlers/http/client-address.js';

const forged = '198.51.100.9';

test.each([
  ['an HTTP API', { requestContext: { http: { sourceIp: '203.0.113.7' } } }, '203.0.113.7'],
  [
    'an HTTP API, whatever its headers say',
    {
      requestContext: { http: { sourceIp: '203.0.113.7' } },
      event: { headers: { 'x-forwarded-for': forged } },
    },
    '203.0.113.7',
  ],
  [
    'a REST API',
    {
      requestContext: { identity: { sourceIp: '2001:db8::1' } },
      event: { headers: { 'x-forwarded-for': forged } },
    },
    '2001:db8::/64',
  ],
  ['a load balancer', balanced({ headers: { 'x-forwarded-for': '203.0.113.7' } }), '203.0.113.7'],
  [
    'a load balancer that appended to what was sent',
    balanced({ headers: { 'x-forwarded-for': `${forged}, 203.0.113.7` } }),
    '203.0.113.7',
  ],
  [
    'a load balancer that tells ports',
    balanced({ headers: { 'x-forwarded-for': `${forged}:1, 203.0.113.7:4711` } }),
    '203.0.113.7',
  ],
  [
    'a load balancer that tells ports, of IPv6',
    balanced({ headers: { 'x-forwarded-for': '[2001:db8::1]:4711' } }),
    '2001:db8::/64',
  ],
  [
    'a load balancer that sends several values of a header',
    balanced({ multiValueHeaders: { 'x-forwarded-for': [forged, `${forged}, 203.0.113.7`] } }),
    '203.0.113.7',
  ],
  ['a load balancer that tells no address', balanced({ headers: {} }), 'unknown'],
  ['a socket', { incoming: { socket: { remoteAddress: '::ffff:127.0.0.1' } } }, '127.0.0.1'],
  ['nobody knows what', {}, 'unknown'],
])('behind %s the address is told by it', (_, environment, expected) => {
  expect(clientAddress(environment)).toBe(expected);
});

function balanced(event: object) {
  return { requestContext: { elb: { targetGroupArn: 'arn' } }, event };
}
