import { BSON } from 'bson';
import { type Doc, decode, decodeKeepingRaw, setField } from '../bson/decode.js';
import { afterText, invalid, sizeAt, validateDocument } from '../bson/validate.js';
import { CommandError } from '../errors.js';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;
const HEADER_LENGTH = 16;

/** The arrays of documents in a command that are stored as received. */
const RAW_ARRAYS = ['documents'];

/** A command from the wire. */
export interface Request {
  readonly requestId: number;
  readonly body: Doc;
  /** True for OP_QUERY, which drivers use only for the first `hello`. OP_REPLY answers it. */
  readonly legacy: boolean;
  /** The client waits for no reply (an unacknowledged write). */
  readonly unacknowledged: boolean;
  /** The client accepts several replies, one after the other, without asking again. */
  readonly exhaustAllowed: boolean;
}

/** The reply to a request. */
export interface Reply {
  /** An encoded document. */
  readonly document: Uint8Array;
  /** Another reply to the same request follows. */
  readonly moreToCome: boolean;
}

/** The error for a message with invalid content. The message can be answered, because its header is valid. */
export class UnreadableMessage extends Error {
  readonly request: Request;
  readonly error: CommandError;

  constructor(request: Request, error: CommandError) {
    super(error.message);
    this.request = request;
    this.error = error;
  }
}

/**
 * Reads one whole wire message. Checks every size in it, so that no byte after the message is read.
 *
 * @throws UnreadableMessage for invalid content. The client gets its error as the answer
 * @throws Error for an unknown flag or operation, as in MongoDB 7. Then the connection must end
 */
export function readRequest(message: Buffer): Request {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode !== OP_MSG && opCode !== OP_QUERY) throw new Error(`unsupported wire operation ${opCode}`);
  const legacy = opCode === OP_QUERY;
  const flags = legacy ? 0 : flagsOf(message);
  const request = {
    requestId,
    body: {},
    legacy,
    unacknowledged: (flags & MORE_TO_COME) !== 0,
    exhaustAllowed: (flags & EXHAUST_ALLOWED) !== 0,
  };
  try {
    return { ...request, body: legacy ? readQuery(message) : readSections(message, flags) };
  } catch (error) {
    throw error instanceof CommandError ? new UnreadableMessage(request, error) : error;
  }
}

/** Returns the flags. Every flag in the lower half must be known. */
function flagsOf(message: Buffer): number {
  if (message.length < HEADER_LENGTH + 4) throw new Error('a message without flags');
  const flags = message.readUInt32LE(HEADER_LENGTH);
  if ((flags & 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME)) !== 0) throw new Error('an unknown flag');
  return flags;
}

function readSections(message: Buffer, flags: number): Doc {
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  let body: Doc | undefined;
  const sequences: Doc = {};
  for (let at = HEADER_LENGTH + 4; at < end; ) {
    const kind = message[at];
    if (kind === 0) {
      if (body !== undefined) throw new CommandError(40430, 'Multiple body sections in message');
      const next = validateDocument(message, at + 1, end);
      body = decodeKeepingRaw(message.subarray(at + 1, next), RAW_ARRAYS);
      at = next;
    } else if (kind === 1) at = readSequence(message, at + 1, end, sequences);
    else throw new CommandError(40432, `Unknown section kind ${kind}`);
  }
  if (body === undefined) throw new CommandError(40587, 'OP_MSG messages must have a body');
  for (const name of Object.keys(sequences)) {
    if (Object.hasOwn(body, name))
      throw new CommandError(40433, `Duplicate field between body and document sequence ${name}`);
  }
  return Object.assign(body, sequences);
}

/** Reads a sequence, and returns the offset after it. */
function readSequence(message: Buffer, start: number, limit: number, into: Doc): number {
  const end = start + sizeAt(message, start, limit);
  if (end < start + 4 || end > limit) throw invalid('a sequence of documents does not fit into its message');
  let at = afterText(message, start + 4, end);
  const name = message.toString('utf8', start + 4, at - 1);
  if (Object.hasOwn(into, name)) throw new CommandError(40431, `Duplicate document sequence: ${name}`);
  const raw = RAW_ARRAYS.includes(name);
  const documents: unknown[] = [];
  while (at < end) {
    const next = validateDocument(message, at, end);
    const bytes = message.subarray(at, next);
    documents.push(raw ? bytes : decode(bytes));
    at = next;
  }
  setField(into, name, documents);
  return end;
}

/** Reads the command, which follows the flags, the namespace and the two counts to skip and to return. */
function readQuery(message: Buffer): Doc {
  const start = HEADER_LENGTH + 4;
  const nameEnd = afterText(message, start, message.length);
  const next = validateDocument(message, nameEnd + 8, message.length);
  const body = decode(message.subarray(nameEnd + 8, next));
  body.$db ??= message.toString('utf8', start, nameEnd - 1).split('.')[0];
  return body;
}

/** Returns the wire message that answers a request. */
export function writeReply(request: Request, { document, moreToCome }: Reply): Buffer {
  const prefix = request.legacy ? legacyPrefix() : msgPrefix(moreToCome);
  const message = Buffer.concat([Buffer.alloc(HEADER_LENGTH), prefix, document]);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(request.requestId, 8);
  message.writeInt32LE(request.legacy ? OP_REPLY : OP_MSG, 12);
  return message;
}

/** Returns the beginning of an OP_MSG: the flags and the kind of its only section. */
function msgPrefix(moreToCome: boolean): Buffer {
  const prefix = Buffer.alloc(5);
  if (moreToCome) prefix.writeUInt32LE(MORE_TO_COME, 0);
  return prefix;
}

function legacyPrefix(): Buffer {
  const prefix = Buffer.alloc(20);
  prefix.writeInt32LE(8, 0);
  prefix.writeInt32LE(1, 16);
  return prefix;
}

/** Encodes a document. Leaves out fields that are `undefined`. */
export function encode(document: Doc): Uint8Array {
  return BSON.serialize(document, { ignoreUndefined: true });
}
