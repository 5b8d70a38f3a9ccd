import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** A stand-in for a foreign service, on a socket of 127.0.0.1. */
export abstract class LocalServer {
  readonly #server = createServer((request, response) => this.respond(request, response));

  protected abstract respond(request: IncomingMessage, response: ServerResponse): Promise<void>;

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The service has no port.');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), 'close');
  }
}
