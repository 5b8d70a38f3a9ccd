import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import type { Document, MongoClient } from 'mongodb';
import { z } from 'zod';
import { type Examined, explain } from './explain.js';
import { commandOf, MessageReader } from './wire.js';

/**
 * A TCP relay in front of the server that explains each command just before passing it on. It sees the documents as
 * they are at that moment, whatever client sent the command.
 */
export class ExplainingRelay {
  readonly #examined: Examined = { documents: 0, keys: 0 };
  #failure: unknown;
  readonly #sockets = new Set<Socket>();
  readonly #listener: NetServer;

  private constructor(
    private readonly client: MongoClient,
    private readonly target: { readonly host: string; readonly port: number },
  ) {
    this.#listener = createServer((socket) => this.#serve(socket));
  }

  static async start({ client }: { readonly client: MongoClient }): Promise<ExplainingRelay> {
    const hello = z.object({ me: z.string() }).parse(await client.db('admin').command({ hello: 1 }));
    const { hostname: host, port } = new URL(`tcp://${hello.me}`);
    const relay = new ExplainingRelay(client, { host, port: Number(port) });
    relay.#listener.listen(0, '127.0.0.1');
    await once(relay.#listener, 'listening');
    return relay;
  }

  get uri(): string {
    const { port } = this.#listener.address() as AddressInfo;
    return `mongodb://127.0.0.1:${port}/?directConnection=true`;
  }

  /** Returns what all commands together examined so far. @throws the server's answer when it could not explain one */
  get examined(): Examined {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#examined;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #serve(socket: Socket): void {
    const server = connect(this.target);
    const reader = new MessageReader();
    let passedOn = Promise.resolve();
    socket.on('data', (bytes) => {
      for (const message of reader.read(bytes)) {
        passedOn = passedOn.then(async () => {
          const command = commandOf(message);
          if (command) await this.#explain(command);
          if (!server.destroyed) server.write(message);
        });
      }
    });
    server.pipe(socket);
    for (const [one, other] of [
      [socket, server],
      [server, socket],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => {}); // 'close' follows.
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }

  /** Explains a command, which is passed on even if that fails. */
  async #explain(command: Document): Promise<void> {
    try {
      const { documents, keys } = await explain(this.client, command);
      this.#examined.documents += documents;
      this.#examined.keys += keys;
    } catch (error) {
      this.#failure = error;
    }
  }
}
