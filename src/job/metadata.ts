import * as z from 'zod';
import { storableText } from '../storable-text.js';

const MAX_BYTES = 2048;

/**
 * Texts stored beside the input, such as the trace of the job (`traceparent`). Names consist of letters, digits, `_` and
 * `-`. At most 2 KB in all.
 */
export type Metadata = Readonly<Record<string, string>>;

export const metadataSchema = z
  .record(
    z.string().regex(/^[A-Za-z0-9][\w-]{0,49}$/, 'expected 1 to 50 letters, digits, _ or -'),
    storableText,
  )
  .refine((metadata) => bytesOf(metadata) <= MAX_BYTES, `expected at most ${MAX_BYTES} bytes in all`);

function bytesOf(metadata: Metadata): number {
  return Object.entries(metadata).reduce(
    (sum, [name, text]) => sum + name.length + Buffer.byteLength(text),
    0,
  );
}
