import { createRequire } from 'node:module';
import * as z from 'zod';

/** Of the package, from its package.json, wherever that is as seen from here: sources and dist/ lie differently deep. */
export function packageVersion(): string {
  const require = createRequire(import.meta.url);
  return z.object({ version: z.string() }).parse(require('remote-processor/package.json')).version;
}
