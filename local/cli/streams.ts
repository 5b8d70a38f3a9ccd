import type { Readable, Writable } from 'node:stream';

/** What a command reads and writes: those of its process, unless the program that runs it has others. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** A terminal, or anything else that one can write to. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  /** Of a terminal. */
  readonly columns?: number;
  hasColors?(): boolean;
}
