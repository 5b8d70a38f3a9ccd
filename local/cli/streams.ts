import type { Readable, Writable } from 'node:stream';

/** The streams that a command reads and writes. Default: those of its process. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** A terminal, or any other stream to write to. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  /** The width of a terminal. */
  readonly columns?: number;
  hasColors?(): boolean;
}
