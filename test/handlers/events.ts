import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2, ScheduledEvent } from 'aws-lambda';
import type { LambdaContext } from '../../handlers/lambda.js';

/** Returns Lambda's context with `remainingMs` left. */
export function contextOf(remainingMs: number): LambdaContext {
  const end = Date.now() + remainingMs;
  return {
    awsRequestId: randomUUID(),
    functionName: 'the-function',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => end - Date.now(),
  };
}

/** The event that EventBridge sends every minute. */
export const everyMinute: ScheduledEvent = {
  version: '0',
  id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: '123456789012',
  time: '2026-01-31T09:05:00Z',
  region: 'eu-central-1',
  resources: ['arn:aws:events:eu-central-1:123456789012:rule/every-minute'],
  detail: {},
};

/** Returns the event of an HTTP API of API Gateway, payload version 2.0. */
export function httpEvent(
  method: string,
  path: string,
  {
    headers = {},
    body,
    isBase64Encoded = false,
    query = '',
    signedBy,
  }: {
    headers?: Record<string, string>;
    body?: string;
    isBase64Encoded?: boolean;
    query?: string;
    /** The ARN of the caller whose signature API Gateway has checked. */
    signedBy?: string;
  } = {},
): APIGatewayProxyEventV2 {
  const domainName = 'abc123.execute-api.eu-central-1.amazonaws.com';
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    headers: { host: domainName, 'user-agent': 'curl/8.5.0', 'x-forwarded-proto': 'https', ...headers },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abc123',
      domainName,
      domainPrefix: 'abc123',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: 'curl/8.5.0' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: '$default',
      stage: '$default',
      time: '31/Jan/2026:09:05:06 +0000',
      timeEpoch: 1769850306000,
      ...(signedBy !== undefined && { authorizer: { iam: iamOf(signedBy) } }),
    },
    ...(body !== undefined && { body }),
    isBase64Encoded,
  };
}

/**
 * Returns a function that makes the event of a REST API or a load balancer. `inLists` gives headers and query as lists.
 */
export function classicEvent(from: 'rest' | 'balancer', inLists = from === 'rest') {
  const requestContext =
    from === 'rest'
      ? { identity: { sourceIp: '203.0.113.9' }, stage: 'prod', domainName: 'jobs.example' }
      : { elb: { targetGroupArn: 'arn' } };
  return (
    method: string,
    path: string,
    { headers = {}, body, isBase64Encoded = false, query = '' }: Parameters<typeof httpEvent>[2] = {},
  ) => {
    const all = { host: 'jobs.example', 'x-forwarded-for': '192.0.2.1', ...headers };
    // A load balancer leaves the query encoded.
    const asked = Object.fromEntries(
      query === ''
        ? []
        : query.split('&').map((part) => {
            const [name = '', value = ''] = part.split('=');
            return [name, from === 'rest' ? decodeURIComponent(value) : value];
          }),
    );
    const simple = { headers: all, queryStringParameters: asked };
    const lists = { multiValueHeaders: listsOf(all), multiValueQueryStringParameters: listsOf(asked) };
    return {
      ...{ httpMethod: method, path, requestContext, body: body ?? null, isBase64Encoded },
      ...(from === 'rest' || !inLists ? simple : {}),
      ...(inLists ? lists : {}),
    };
  };
}

function listsOf(values: Readonly<Record<string, string>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value]]));
}

function iamOf(userArn: string) {
  return {
    accessKey: 'ASIA0000000000000000',
    accountId: '123456789012',
    callerId: 'AROA0000000000000000:session',
    cognitoIdentity: null,
    principalOrgId: 'aws:PrincipalOrgID',
    userArn,
    userId: 'AROA0000000000000000:session',
  };
}
