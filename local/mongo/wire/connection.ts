import type { Socket } from 'node:net';
import type { CommandError } from '../errors.js';
import { type Reply, type Request, readRequest, UnreadableMessage, writeReply } from './message.js';

/** The largest wire message that MongoDB accepts. */
const MAX_MESSAGE_BYTES = 48_000_000;

/** The size of a message's header. */
const MIN_MESSAGE_BYTES = 16;

/** Answers one request, or reports the error if there is one. */
export type Respond = (request: Request, error?: CommandError) => Promise<Reply>;

/**
 * Serves one client connection: cuts the byte stream into messages, and answers them in order. An invalid message ends
 * the connection, as in MongoDB.
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
    if (messages === 'no messages') {
      socket.destroy();
      return;
    }
    for (const message of messages) {
      queue = queue.then(() => answer(socket, message, respond)).catch(() => void socket.destroy());
    }
  });
}

function cutMessages(
  parts: Buffer[],
  length: number,
): { messages: Buffer[] | 'no messages'; rest: Buffer[] } {
  if (length < 4) return { messages: [], rest: parts };
  const size = joinedHead(parts).readInt32LE(0);
  if (size >= MIN_MESSAGE_BYTES && size <= MAX_MESSAGE_BYTES && length < size)
    return { messages: [], rest: parts };
  const bytes = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  const messages: Buffer[] = [];
  let at = 0;
  while (bytes.length - at >= 4) {
    const next = bytes.readInt32LE(at);
    if (next < MIN_MESSAGE_BYTES || next > MAX_MESSAGE_BYTES) return { messages: 'no messages', rest: [] };
    if (bytes.length - at < next) break;
    messages.push(bytes.subarray(at, at + next));
    at += next;
  }
  return { messages, rest: at < bytes.length ? [bytes.subarray(at)] : [] };
}

function joinedHead(parts: Buffer[]): Buffer {
  const [first] = parts;
  return first !== undefined && first.length >= 4 ? first : Buffer.concat(parts);
}

async function answer(socket: Socket, message: Buffer, respond: Respond): Promise<void> {
  const { request, error } = requestIn(message);
  let reply: Reply;
  do {
    reply = await respond(request, error);
    if (!request.unacknowledged && !socket.destroyed) socket.write(writeReply(request, reply));
  } while (reply.moreToCome && !socket.destroyed);
}

function requestIn(message: Buffer): { request: Request; error?: CommandError } {
  try {
    return { request: readRequest(message) };
  } catch (error) {
    if (error instanceof UnreadableMessage) return error;
    throw error;
  }
}
