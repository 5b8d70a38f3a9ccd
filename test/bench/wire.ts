import { BSON, type Document } from 'mongodb';

const HEADER_LENGTH = 16;
const OP_MSG = 2013;

/** Cuts a stream into wire messages. https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
export class MessageReader {
  #rest = Buffer.alloc(0);

  /** Returns the messages that are complete by now. */
  read(bytes: Uint8Array): Buffer[] {
    let rest = Buffer.concat([this.#rest, bytes]);
    const messages: Buffer[] = [];
    while (rest.length >= HEADER_LENGTH && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      messages.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    this.#rest = rest;
    return messages;
  }
}

/** Returns the command of an OP_MSG with its document sequences. Undefined for any other message. */
export function commandOf(message: Buffer): Document | undefined {
  if (message.readInt32LE(12) !== OP_MSG) return undefined;
  let command: Document = {};
  const sequences: Document = {};
  for (let at = HEADER_LENGTH + 4; at < message.length; ) {
    const length = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + length);
    if (message[at] === 0) command = BSON.deserialize(section);
    else readSequence(section, sequences);
    at += 1 + length;
  }
  return { ...command, ...sequences };
}

function readSequence(section: Buffer, into: Document): void {
  const nameEnd = section.indexOf(0, 4);
  const documents: Document[] = [];
  for (let at = nameEnd + 1; at < section.length; ) {
    const length = section.readInt32LE(at);
    documents.push(BSON.deserialize(section.subarray(at, at + length)));
    at += length;
  }
  into[section.toString('utf8', 4, nameEnd)] = documents;
}
