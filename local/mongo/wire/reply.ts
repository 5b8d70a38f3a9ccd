import type { Long } from 'bson';
import type { Doc } from '../bson/decode.js';
import { encode } from './message.js';

/** A cursor's batch in a reply. Its documents are inserted as bytes. */
export class CursorBatch {
  readonly name: 'firstBatch' | 'nextBatch';
  readonly docs: readonly (string | Uint8Array)[];
  readonly id: Long;
  readonly namespace: string;

  constructor(
    name: 'firstBatch' | 'nextBatch',
    docs: readonly (string | Uint8Array)[],
    id: Long,
    namespace: string,
  ) {
    this.name = name;
    this.docs = docs;
    this.id = id;
    this.namespace = namespace;
  }
}

const DOCUMENT = 3;
const ARRAY = 4;

/** Encodes a reply, whose `cursor` field may be a `CursorBatch`. */
export function encodeReply(reply: Doc): Uint8Array {
  const { cursor, ...rest } = reply;
  if (!(cursor instanceof CursorBatch)) return encode(reply);
  const batch = withField(
    encode({ id: cursor.id, ns: cursor.namespace }),
    ARRAY,
    cursor.name,
    encodeArray(cursor.docs),
  );
  return withField(encode(rest), DOCUMENT, 'cursor', batch);
}

/** Returns a document with one more field at its front. `value` is encoded already. */
function withField(document: Uint8Array, type: number, name: string, value: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4 + 1 + name.length + 1);
  head.writeUInt8(type, 4);
  head.write(name, 5);
  const result = Buffer.concat([head, value, document.subarray(4)]);
  result.writeInt32LE(result.length, 0);
  return result;
}

function encodeArray(docs: readonly (string | Uint8Array)[]): Uint8Array {
  let length = 5;
  for (const [i, doc] of docs.entries()) length += 2 + String(i).length + doc.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = bytes.writeInt32LE(length, 0);
  for (const [i, doc] of docs.entries()) {
    at = bytes.writeUInt8(DOCUMENT, at);
    at += bytes.write(`${i}\0`, at);
    if (typeof doc === 'string') bytes.write(doc, at, 'latin1');
    else bytes.set(doc, at);
    at += doc.length;
  }
  bytes.writeUInt8(0, at);
  return bytes;
}
