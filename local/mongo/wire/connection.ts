import type { Socket } from 'node:net';
import { type Reply, type Request, readRequest, writeReply } from './message.js';

/** The largest wire message MongoDB takes. */
const MAX_MESSAGE_BYTES = 48_000_000;

/** Answers one request. */
export type Respond = (request: Request) => Promise<Reply>;

/**
 * Serves one client connection: cuts the byte stream into messages and answers them in order.
 * A message that makes no sense ends the connection, as in MongoDB.
 */
export function serveConnection(socket: Socket, respond: Respond): void {
  let pending: Buffer[] = [];
  let pendingLength = 0;
  let queue = Promise.resolve();
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    pending.push(chunk);
    pendingLength += chunk.length;
    const { messages, rest } = cutMessages(pending, pendingLength);
    pending = rest;
    pendingLength = rest.reduce((sum, part) => sum + part.length, 0);
    if (messages === 'too large') {
      socket.destroy();
      return;
    }
    for (const message of messages) {
      queue = queue.then(() => answer(socket, message, respond)).catch(() => void socket.destroy());
    }
  });
}

function cutMessages(parts: Buffer[], length: number): { messages: Buffer[] | 'too large'; rest: Buffer[] } {
  if (length < 4) return { messages: [], rest: parts };
  const first = joinedHead(parts).readInt32LE(0);
  if (first < 16 || first > MAX_MESSAGE_BYTES) return { messages: 'too large', rest: [] };
  if (length < first) return { messages: [], rest: parts };
  const bytes = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  const message = bytes.subarray(0, first);
  const others = cutMessages([bytes.subarray(first)], bytes.length - first);
  if (others.messages === 'too large') return others;
  return { messages: [message, ...others.messages], rest: others.rest };
}

function joinedHead(parts: Buffer[]): Buffer {
  const [first] = parts;
  return first !== undefined && first.length >= 4 ? first : Buffer.concat(parts);
}

async function answer(socket: Socket, message: Buffer, respond: Respond): Promise<void> {
  const request = readRequest(message);
  let reply: Reply;
  do {
    reply = await respond(request);
    if (!request.unacknowledged && !socket.destroyed) socket.write(writeReply(request, reply));
  } while (reply.moreToCome && !socket.destroyed);
}
