import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { BSON, type Document } from 'bson';

const HEADER = 16;
const OP_QUERY = 2004;
const OP_MSG = 2013;

/** A connection that sends what no driver would, for tests of the wire protocol and of resent commands. */
export class RawClient {
  readonly #socket: Socket;
  #pending = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Resolves when the server has ended the connection. */
  async closed(): Promise<void> {
    if (!this.#socket.destroyed) await once(this.#socket.resume(), 'close');
  }

  /** Resolves when this request is answered or the connection has ended. Drops earlier replies. */
  async answeredOrClosed(requestId: number): Promise<'answered' | 'closed'> {
    try {
      for (;;) {
        while (this.#pending.length >= 4 && this.#pending.length >= this.#pending.readInt32LE(0)) {
          if (this.#pending.readInt32LE(8) === requestId) return 'answered';
          this.#pending = this.#pending.subarray(this.#pending.readInt32LE(0));
        }
        if (this.#socket.destroyed) return 'closed';
        this.#pending = Buffer.concat([this.#pending, await this.#nextChunk()]);
      }
    } catch {
      return 'closed';
    }
  }

  /** Returns the next bytes, or none when the connection ends. */
  async #nextChunk(): Promise<Buffer> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      const events = ['data', 'close'].map((event) => once(this.#socket, event, { signal }));
      const [chunk] = await Promise.race(events);
      return Buffer.isBuffer(chunk) ? chunk : Buffer.alloc(0);
    } finally {
      waiting.abort();
    }
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Sends a command as OP_MSG, and returns the reply. */
  async run(body: Document): Promise<Document> {
    this.write(message(section(body)));
    return this.read();
  }

  /** Returns the next reply. */
  async read(): Promise<Document> {
    for (;;) {
      const length = this.#pending.length >= 4 ? this.#pending.readInt32LE(0) : Number.POSITIVE_INFINITY;
      if (this.#pending.length >= length) {
        const reply = this.#pending.subarray(0, length);
        this.#pending = this.#pending.subarray(length);
        return BSON.deserialize(reply.subarray(reply.readInt32LE(12) === 1 ? HEADER + 20 : HEADER + 5));
      }
      const [chunk] = await once(this.#socket, 'data');
      this.#pending = Buffer.concat([this.#pending, chunk]);
    }
  }
}

/** Returns an OP_MSG of sections. `flags` 1 adds a checksum, 2 asks for no reply. */
export function message(sections: Uint8Array, flags = 0, requestId = 7): Buffer {
  const bits = Buffer.alloc(4);
  bits.writeUInt32LE(flags);
  return withHeader(OP_MSG, Buffer.concat([bits, sections, Buffer.alloc(flags & 1 ? 4 : 0)]), requestId);
}

/** Returns the section that holds a command. */
export function section(body: Document): Buffer {
  return Buffer.concat([Buffer.of(0), BSON.serialize(body)]);
}

/** Returns a section with a sequence of documents. */
export function sequence(name: string, documents: Document[]): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((one) => BSON.serialize(one))]);
  const size = Buffer.alloc(4);
  size.writeInt32LE(content.length + 4);
  return Buffer.concat([Buffer.of(1), size, content]);
}

/** Returns the older OP_QUERY, with which drivers say hello. */
export function query(body: Document): Buffer {
  const start = Buffer.concat([Buffer.alloc(4), Buffer.from('admin.$cmd\0'), Buffer.alloc(8)]);
  return withHeader(OP_QUERY, Buffer.concat([start, BSON.serialize(body)]));
}

function withHeader(opCode: number, content: Buffer, requestId = 7): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeInt32LE(HEADER + content.length, 0);
  header.writeInt32LE(requestId, 4);
  header.writeInt32LE(opCode, 12);
  return Buffer.concat([header, content]);
}
