import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import { CommandError } from '../errors.js';
import { FIXED_SIZE } from './value-sizes.js';

/** A decoded document, a plain object with its fields in the document's order. */
export type Doc = Record<string, unknown>;

/**
 * Decodes a BSON document so that encoding it again gives the same types.
 *
 * A JavaScript number stands for an int32 if it is an integer in that range, and otherwise for a double, because
 * `bson.serialize` writes it so. Therefore a double with the value of an int32 stays a `Double`, and every int64 stays a
 * `Long`. Documents that look like a DBRef stay plain. `__proto__` becomes an own property.
 */
export function decode(bytes: Buffer, offset = 0): Doc {
  return new Decoder(bytes).document(offset);
}

/** Decodes like `decode`, but only the named fields. */
export function decodeFields(bytes: Buffer, names: ReadonlySet<string>): Doc {
  return new Decoder(bytes).document(0, NONE, names);
}

/** Decodes like `decode`, but keeps the elements of the named top-level arrays as BSON bytes. */
export function decodeKeepingRaw(bytes: Buffer, rawArrays: readonly string[]): Doc {
  return new Decoder(bytes).document(0, rawArrays);
}

const NONE: readonly string[] = [];

/** Sets a field as an own property, whatever its name. */
export function setField(target: Doc, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[name] = value;
  }
}

function asInt32OrDouble(value: number): number | Double {
  const looksLikeInt32 = value === (value | 0) && !Object.is(value, -0);
  return looksLikeInt32 ? new Double(value) : value;
}

/**
 * Known names and short texts, by a hash of their bytes. Most texts repeat, and a known text need not be made again.
 */
const knownNames: (string | undefined)[] = new Array(4096);
const knownTexts: (string | undefined)[] = new Array(4096);
const HASH_MASK = knownNames.length - 1;

/** The length of the longest text that is kept. Longer texts hardly ever repeat. */
const SHORT_TEXT = 20;

class Decoder {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @param wanted the names of the fields to decode; all when left out */
  document(offset: number, rawArrays = NONE, wanted?: ReadonlySet<string>): Doc {
    this.#at = offset + 4;
    const result: Doc = {};
    for (let type = this.#byte(); type !== 0; type = this.#byte()) {
      const name = this.#name();
      if (wanted !== undefined && !wanted.has(name)) {
        this.#skip(type);
        continue;
      }
      const raw = type === 4 && rawArrays.includes(name);
      setField(result, name, raw ? this.#rawElements() : this.#value(type));
    }
    return result;
  }

  #skip(type: number): void {
    const size = FIXED_SIZE.get(type);
    if (size !== undefined) this.#at += size;
    else if (type === 0x0b) {
      this.#skipCstring();
      this.#skipCstring();
    } else if (type === 0x03 || type === 0x04 || type === 0x0f) this.#at += this.#int(this.#at);
    else this.#at += 4 + (type === 0x05 ? 1 : 0) + this.#int(this.#at);
  }

  #array(): unknown[] {
    this.#at += 4;
    const result: unknown[] = [];
    for (let type = this.#byte(); type !== 0; type = this.#byte()) {
      this.#skipCstring();
      result.push(this.#value(type));
    }
    return result;
  }

  #rawElements(): Buffer[] {
    this.#at += 4;
    const result: Buffer[] = [];
    for (let type = this.#byte(); type !== 0; type = this.#byte()) {
      this.#skipCstring();
      if (type !== 3) throw new CommandError(14, 'expected an array of objects');
      const length = this.#bytes.readInt32LE(this.#at);
      result.push(this.#bytes.subarray(this.#at, this.#at + length));
      this.#at += length;
    }
    return result;
  }

  #value(type: number): unknown {
    switch (type) {
      case 0x01:
        return asInt32OrDouble(this.#bytes.readDoubleLE(this.#advance(8)));
      case 0x02:
        return this.#string();
      case 0x03:
        return this.document(this.#at);
      case 0x04:
        return this.#array();
      case 0x05:
        return this.#binary();
      case 0x06:
        return undefined;
      case 0x07:
        return new ObjectId(this.#take(12));
      case 0x08:
        return this.#byte() === 1;
      case 0x09:
        return this.#date();
      case 0x0a:
        return null;
      case 0x0b:
        return new BSONRegExp(this.#cstring(), this.#cstring());
      case 0x0d:
        return new Code(this.#string());
      case 0x0e:
        return new BSONSymbol(this.#string());
      case 0x0f:
        this.#at += 4;
        return new Code(this.#string(), this.document(this.#at));
      case 0x10:
        return this.#int(this.#advance(4));
      case 0x11:
        return new Timestamp(this.#long());
      case 0x12:
        return this.#long();
      case 0x13:
        return new Decimal128(this.#take(16));
      case 0x7f:
        return new MaxKey();
      case 0xff:
        return new MinKey();
      default:
        throw new CommandError(22, `Unrecognized BSON type ${type}`);
    }
  }

  #advance(length: number): number {
    const start = this.#at;
    this.#at += length;
    return start;
  }

  #byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new CommandError(22, 'BSON document ends too early');
    this.#at += 1;
    return value;
  }

  #take(length: number): Buffer {
    const start = this.#advance(length);
    return Buffer.from(this.#bytes.subarray(start, this.#at));
  }

  #date(): Date {
    const start = this.#advance(8);
    return new Date(this.#int(start + 4) * 2 ** 32 + (this.#int(start) >>> 0));
  }

  #long(): Long {
    const start = this.#advance(8);
    return new Long(this.#int(start), this.#int(start + 4));
  }

  /** Reads four bytes one by one, which costs less than a call to Buffer. */
  #int(at: number): number {
    const bytes = this.#bytes;
    return (
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    );
  }

  #string(): string {
    const length = this.#int(this.#advance(4));
    const start = this.#advance(length);
    const end = start + length - 1;
    return length <= SHORT_TEXT ? this.#shortText(start, end) : this.#bytes.toString('utf8', start, end);
  }

  #shortText(start: number, end: number): string {
    let hash = 0;
    let union = 0;
    for (let i = start; i < end; i++) {
      const byte = this.#bytes[i] ?? 0;
      union |= byte;
      hash = (hash * 31 + byte) | 0;
    }
    return this.#known(knownTexts, hash, union, start, end);
  }

  #skipCstring(): void {
    this.#at = this.#bytes.indexOf(0, this.#at) + 1;
  }

  #cstring(): string {
    const start = this.#at;
    this.#skipCstring();
    return this.#bytes.toString('utf8', start, this.#at - 1);
  }

  #name(): string {
    const start = this.#at;
    let hash = 0;
    let union = 0;
    for (let byte = this.#byte(); byte !== 0; byte = this.#byte()) {
      union |= byte;
      hash = (hash * 31 + byte) | 0;
    }
    return this.#known(knownNames, hash, union, start, this.#at - 1);
  }

  /** Returns some bytes as text. Takes a known text if possible. Text that is not ASCII is always decoded. */
  #known(texts: (string | undefined)[], hash: number, union: number, start: number, end: number): string {
    if (union > 0x7f) return this.#bytes.toString('utf8', start, end);
    const known = texts[hash & HASH_MASK];
    if (known !== undefined && this.#spells(known, start, end)) return known;
    const text = this.#bytes.toString('latin1', start, end);
    texts[hash & HASH_MASK] = text;
    return text;
  }

  #spells(text: string, start: number, end: number): boolean {
    if (text.length !== end - start) return false;
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== this.#bytes[start + i]) return false;
    return true;
  }

  #binary(): Binary {
    const length = this.#bytes.readInt32LE(this.#advance(4));
    const subtype = this.#byte();
    if (subtype !== 2) return new Binary(this.#take(length), subtype);
    this.#at += 4;
    return new Binary(this.#take(length - 4), subtype);
  }
}
