import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What becomes of packets. */
type Weather = 'fair' | 'delayed' | 'held' | 'replies held' | 'all lost' | 'replies lost';

/** How late a packet is while they are `delayed`. */
const DELAY_MS = 250;

/** Host and port of a server. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A TCP proxy in front of a server, that can do to its connections what networks do. */
export class TcpProxy {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #weather: Weather = 'fair';
  #clears: Promise<unknown> = Promise.resolve();

  private constructor(private readonly target: Address) {
    this.#server = createServer((client) => this.#serve(client));
  }

  static async start(target: Address): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Delivers each packet late. */
  delay(ms: number): Promise<void> {
    return this.#change('delayed', ms);
  }

  /** Delivers nothing for a while, and then everything: a partition that heals. */
  hold(ms: number): Promise<void> {
    return this.#change('held', ms);
  }

  /** Delivers requests at once, but their replies only when it is over. */
  holdReplies(ms: number): Promise<void> {
    return this.#change('replies held', ms);
  }

  /** Delivers nothing for a while, and then breaks the connections. */
  async blackhole(ms: number): Promise<void> {
    await this.#change('all lost', ms);
    this.cut();
  }

  /** Delivers requests but no replies for a while, and then breaks the connections. */
  async loseReplies(ms: number): Promise<void> {
    await this.#change('replies lost', ms);
    this.cut();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** A change during another takes its place, and ends it when it ends itself. */
  async #change(weather: Weather, ms: number): Promise<void> {
    this.#weather = weather;
    this.#clears = sleep(ms);
    await this.#clears;
    this.#weather = 'fair';
  }

  #serve(client: Socket): void {
    const server = connect(this.target);
    this.#forward(client, server, false);
    this.#forward(server, client, true);
  }

  /** In order, and nothing after a packet that was lost; what was sent before a connection closed still arrives. */
  #forward(from: Socket, to: Socket, isReply: boolean): void {
    this.#sockets.add(from);
    let arrived = Promise.resolve(true);
    from.on('data', (packet) => {
      arrived = arrived.then(async (allBefore) => {
        const arrives = allBefore && (await this.#arrives(isReply));
        if (arrives && !to.destroyed) to.write(packet);
        return arrives;
      });
    });
    from.on('error', () => {}); // 'close' follows.
    from.on('close', () => {
      this.#sockets.delete(from);
      void arrived.then(() => to.destroy());
    });
  }

  async #arrives(isReply: boolean): Promise<boolean> {
    if (this.#weather === 'held' || (isReply && this.#weather === 'replies held')) await this.#clears;
    if (this.#weather === 'delayed') await sleep(DELAY_MS);
    return this.#weather !== 'all lost' && !(isReply && this.#weather === 'replies lost');
  }
}
