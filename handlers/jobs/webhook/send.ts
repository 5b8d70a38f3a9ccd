import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { type AddressRule, checkAddress, checkedLookup } from './addresses.js';

/**
 * Maximum number of bytes to read of an answer. It is enough for an error message. A receiver could send without end.
 */
const MAX_ANSWER_BYTES = 16 * 1024;

export interface Outgoing {
  readonly url: URL;
  readonly method: 'POST' | 'GET';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  /** The beginning of the body. */
  readonly text: string;
}

export interface SendOptions {
  readonly mayConnectTo: AddressRule;
  readonly signal: AbortSignal;
}

/**
 * Sends one request and reads the beginning of its answer. Does not follow redirects.
 *
 * Uses `node:http` rather than `fetch`, to check the address at the moment of connecting. Uses a new connection, since
 * a pooled connection may have been made without that check.
 *
 * @throws RemoteException for a refused address, and any network error
 */
export async function send(
  { url, method, headers, body }: Outgoing,
  { mayConnectTo, signal }: SendOptions,
): Promise<Answer> {
  checkAddress(url, mayConnectTo);
  const { request } = url.protocol === 'https:' ? https : http;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method, headers, signal, agent: false, lookup: checkedLookup(mayConnectTo) })
      .on('response', resolve)
      .on('error', reject)
      .end(body);
  });
  const { statusCode = 0, headers: received } = response;
  return { status: statusCode, location: received.location, text: await readBeginning(response) };
}

async function readBeginning(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_ANSWER_BYTES) break;
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES));
}
