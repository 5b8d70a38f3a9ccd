import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Document } from 'mongodb';
import { readRequest } from '../../local/mongo/wire/message.js';
import { RequestStream } from './request-stream.js';

/** The treatment of packets. */
type Weather = 'fair' | 'delayed' | 'held' | 'replies held' | 'all lost' | 'replies lost';

/** The delay of packets when the weather is `delayed`, and of a request that arrives `late`. */
const DELAY_MS = 250;

/** A direction of a connection. */
export type Direction = 'requests' | 'replies';

/**
 * The fate of a request:
 *
 * - `deliver`: it arrives
 * - `cut`: its connection breaks before it arrives
 * - `late`: its connection breaks, and the request arrives some time after that
 * - `lose reply`: it arrives, and its connection breaks instead of its reply
 * - `silence`: neither it nor any later request of its connection arrives, and no error is reported
 */
export type Passage = 'deliver' | 'cut' | 'late' | 'lose reply' | 'silence';

/** Decides about a request by the command that it carries. */
export type Judge = (command: Document) => Passage;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A connection with both of its ends, and what has happened to it. */
interface Link {
  readonly client: Socket;
  readonly server: Socket;
  silent?: Direction;
  losesReply?: boolean;
}

/** A TCP proxy in front of a MongoDB server that can do to its connections what networks do. */
export class TcpProxy {
  /** The connections, with the most recently used one last. */
  readonly #links = new Set<Link>();
  readonly #server: Server;
  #weather: Weather = 'fair';
  #clears: Promise<unknown> = Promise.resolve();
  #judge: Judge | undefined;

  private constructor(private readonly target: Address) {
    this.#server = createServer((client) => this.#serve(client));
  }

  /** @param port 0 for any free port */
  static async start(target: Address, port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(port, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The number of connections. */
  get connections(): number {
    return this.#links.size;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const link of this.#links) breakLink(link);
  }

  /** Delivers each packet late. */
  delay(ms: number): Promise<void> {
    return this.#change('delayed', ms);
  }

  /** Delivers nothing for a while and then everything, like a partition that heals. */
  hold(ms: number): Promise<void> {
    return this.#change('held', ms);
  }

  /** Delivers requests at once, but their replies only at the end. */
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

  /** Lets nothing more through in one direction of the most recently used connection, which stays open. */
  silence(direction: Direction): void {
    const last = [...this.#links].at(-1);
    if (last) last.silent = direction;
  }

  /** Lets nothing more through the present connections, which stay open. New ones work. */
  silenceAll(): void {
    for (const link of this.#links) {
      link.silent = 'requests';
    }
  }

  /** Asks a judge about each request from now on. Without a judge all are delivered. */
  judgeBy(judge: Judge | undefined): void {
    this.#judge = judge;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Changes the weather for a while. A later change replaces this one, but ends when this one would have ended. */
  async #change(weather: Weather, ms: number): Promise<void> {
    this.#weather = weather;
    this.#clears = sleep(ms);
    await this.#clears;
    this.#weather = 'fair';
  }

  #serve(client: Socket): void {
    const link: Link = { client, server: connect(this.target) };
    this.#links.add(link);
    const requests = new RequestStream();
    this.#forward(link, 'requests', (chunk) => requests.add(chunk));
    this.#forward(link, 'replies', (chunk) => [chunk]);
  }

  /** Forwards packets in order, and nothing after a lost one. Packets sent before a connection closed still arrive. */
  #forward(link: Link, direction: Direction, packetsOf: (chunk: Buffer) => readonly Buffer[]): void {
    const [from, to] = direction === 'requests' ? [link.client, link.server] : [link.server, link.client];
    let arrived = Promise.resolve(true);
    from.on('data', (chunk: Buffer) => {
      for (const packet of packetsOf(chunk)) {
        arrived = arrived.then(async (allBefore) => {
          const arrives = allBefore && (await this.#arrives(link, direction, packet));
          if (arrives && !to.destroyed) to.write(packet);
          return arrives;
        });
      }
    });
    from.on('error', () => {}); // 'close' follows.
    from.on('close', () => {
      this.#links.delete(link);
      void arrived.then(() => to.destroy());
    });
  }

  async #arrives(link: Link, direction: Direction, packet: Buffer): Promise<boolean> {
    const isReply = direction === 'replies';
    if (isReply && link.losesReply) breakLink(link);
    if (!isReply && !(await this.#passes(link, packet))) return false;
    if (this.#weather === 'held' || (isReply && this.#weather === 'replies held')) await this.#clears;
    if (this.#weather === 'delayed') await sleep(DELAY_MS);
    if (link.silent === direction) return false;
    return this.#weather !== 'all lost' && !(isReply && this.#weather === 'replies lost');
  }

  async #passes(link: Link, request: Buffer): Promise<boolean> {
    if (this.#links.delete(link)) this.#links.add(link);
    switch (this.#judge?.(readRequest(request).body) ?? 'deliver') {
      case 'deliver':
        return true;
      case 'cut':
        breakLink(link);
        return false;
      case 'late':
        link.client.destroy();
        await sleep(DELAY_MS);
        return true;
      case 'lose reply':
        link.losesReply = true;
        return true;
      case 'silence':
        link.silent = 'requests';
        return false;
    }
  }
}

function breakLink({ client, server }: Link): void {
  client.destroy();
  server.destroy();
}
