import * as z from 'zod';
import { storableText } from './storable-text.js';

const MAX_BYTES = 2048;

/**
 * What is known of a job beside its input, such as the trace that it belongs to (`traceparent`): texts by names of letters,
 * digits, `_` and `-`, 2 KB in all.
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
