import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, vi } from 'vitest';
import { LocalServer } from '../local-server.js';

/** A request to the service. */
export interface Invocation {
  readonly path: string;
  readonly type: string;
  readonly payload: unknown;
}

/** A stand-in for AWS's Lambda service, on a socket. It records what the SDK asks. */
export class LambdaService extends LocalServer {
  readonly invocations: Invocation[] = [];
  /** The status of its answers, or 'never' for no answer. */
  answer: number | 'never' = 202;
  /**
   * Whether to reset each connection on which it has answered before, as happens to a container that was frozen for
   * long.
   */
  resetsKept = false;
  /** Whether to ignore all requests on such a connection. */
  ignoresKept = false;
  readonly #answered = new WeakSet<Socket>();

  protected async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    if (this.#answered.has(socket) && this.ignoresKept) return;
    if (this.#answered.has(socket) && this.resetsKept) return void socket.resetAndDestroy();
    this.#answered.add(socket);
    const payload: unknown = JSON.parse(await text(request));
    const type = String(request.headers['x-amz-invocation-type']);
    this.invocations.push({ path: request.url ?? '', type, payload });
    if (this.answer !== 'never') response.writeHead(this.answer).end();
  }
}

/**
 * Sets up a service for each test, with the region and credentials that the SDK needs. Call it at the top of a test
 * file.
 */
export function useLambdaService(): () => LambdaService {
  let service = new LambdaService();
  beforeEach(async () => {
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'nobody');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'nothing');
    service = new LambdaService();
    await service.start();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await service.stop();
  });
  return () => service;
}
