import { type Doc, decode, decodeFields } from '../bson/decode.js';
import { encode } from '../wire/message.js';

let scratch = Buffer.allocUnsafe(64 * 1024);

/** Decodes a stored document, either whole or only the named fields. */
export function decodeStored(stored: string, names?: ReadonlySet<string>): Doc {
  if (stored.length > scratch.length) scratch = Buffer.allocUnsafe(stored.length);
  scratch.write(stored, 'latin1');
  return names === undefined ? decode(scratch) : decodeFields(scratch, names);
}

/** Returns a document's BSON as the one-byte string that is stored. */
export function store(doc: Doc): string {
  return storeBytes(encode(doc));
}

/** Returns BSON from the wire as the one-byte string that is stored. */
export function storeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
