import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach } from 'vitest';
import { LocalServer } from '../../local-server.js';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A foreign server on a socket of 127.0.0.1, which records what it gets, and answers as the test says. */
export class Receiver extends LocalServer {
  readonly received: Received[] = [];
  answer: (response: ServerResponse, path: string) => void = (response) => response.end('thanks');

  protected async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    this.received.push({ method, path: url, headers, body: await text(request) });
    this.answer(response, url);
  }
}

/** Sets up a receiver for each test. Call it at the top of a test file. */
export function useReceiver(): () => Receiver {
  let receiver = new Receiver();
  beforeEach(async () => {
    receiver = new Receiver();
    await receiver.start();
  });
  afterEach(() => receiver.stop());
  return () => receiver;
}
