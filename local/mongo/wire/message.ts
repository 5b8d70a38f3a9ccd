import { BSON } from 'bson';
import { type Doc, decode, decodeKeepingRaw } from '../bson/decode.js';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;
const HEADER_LENGTH = 16;

/** Arrays of documents that a command carries and that are stored as they came. */
const RAW_ARRAYS = ['documents'];

/** One command as it came over the wire. */
export interface Request {
  readonly requestId: number;
  readonly body: Doc;
  /** OP_QUERY, which drivers use for the first `hello` only, is answered by OP_REPLY. */
  readonly legacy: boolean;
  /** The client waits for no reply (an unacknowledged write). */
  readonly unacknowledged: boolean;
  /** The client takes one reply after the other, without asking again. */
  readonly exhaustAllowed: boolean;
}

/** What answers a request. */
export interface Reply {
  /** An encoded document. */
  readonly document: Uint8Array;
  /** The request is answered again after this. */
  readonly moreToCome: boolean;
}

/** Reads one whole wire message. Throws on an operation that MongoDB 7 does not have either. */
export function readRequest(message: Buffer): Request {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode === OP_MSG) return readMsg(message, requestId);
  if (opCode === OP_QUERY) return readQuery(message, requestId);
  throw new Error(`unsupported wire operation ${opCode}`);
}

function readMsg(message: Buffer, requestId: number): Request {
  const flags = message.readUInt32LE(HEADER_LENGTH);
  const end = flags & CHECKSUM_PRESENT ? message.length - 4 : message.length;
  let body: Doc = {};
  const sequences: Doc = {};
  for (let at = HEADER_LENGTH + 4; at < end; ) {
    const kind = message[at];
    const size = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + size);
    if (kind === 0) body = decodeKeepingRaw(section, RAW_ARRAYS);
    else readSequence(section, sequences);
    at += 1 + size;
  }
  Object.assign(body, sequences);
  return {
    requestId,
    body,
    legacy: false,
    unacknowledged: (flags & MORE_TO_COME) !== 0,
    exhaustAllowed: (flags & EXHAUST_ALLOWED) !== 0,
  };
}

function readSequence(section: Buffer, into: Doc): void {
  const nameEnd = section.indexOf(0, 4);
  const name = section.toString('utf8', 4, nameEnd);
  const raw = RAW_ARRAYS.includes(name);
  const documents: unknown[] = [];
  for (let at = nameEnd + 1; at < section.length; ) {
    const size = section.readInt32LE(at);
    const bytes = section.subarray(at, at + size);
    documents.push(raw ? bytes : decode(bytes));
    at += size;
  }
  into[name] = documents;
}

function readQuery(message: Buffer, requestId: number): Request {
  const nameEnd = message.indexOf(0, HEADER_LENGTH + 4);
  const namespace = message.toString('utf8', HEADER_LENGTH + 4, nameEnd);
  const body = decode(message.subarray(nameEnd + 1 + 8));
  body.$db ??= namespace.split('.')[0];
  return { requestId, body, legacy: true, unacknowledged: false, exhaustAllowed: false };
}

/** Builds the wire message that answers a request. */
export function writeReply(request: Request, { document, moreToCome }: Reply): Buffer {
  const prefix = request.legacy ? legacyPrefix() : msgPrefix(moreToCome);
  const message = Buffer.concat([Buffer.alloc(HEADER_LENGTH), prefix, document]);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(request.requestId, 8);
  message.writeInt32LE(request.legacy ? OP_REPLY : OP_MSG, 12);
  return message;
}

/** The flags, and the kind of the only section. */
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

/** Encodes a document; fields that are `undefined` are left out. */
export function encode(document: Doc): Uint8Array {
  return BSON.serialize(document, { ignoreUndefined: true });
}
