import { type Doc, decode, decodeFields } from '../bson/decode.js';
import { encode } from '../wire/message.js';

let scratch = Buffer.allocUnsafe(64 * 1024);

/** Decodes a stored document: whole, or only the named fields. */
export function decodeStored(stored: string, names?: ReadonlySet<string>): Doc {
  if (stored.length > scratch.length) scratch = Buffer.allocUnsafe(stored.length);
  scratch.write(stored, 'latin1');
  return names === undefined ? decode(scratch) : decodeFields(scratch, names);
}

/** The bytes of a stored document. */
export function storedBytes(stored: string): Buffer {
  return Buffer.from(stored, 'latin1');
}

/** A document's BSON as the one-byte string in which it is kept. */
export function store(doc: Doc): string {
  return storeBytes(encode(doc));
}

/** As `store`, for BSON that came over the wire. */
export function storeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
