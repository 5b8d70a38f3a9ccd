import { createRequire } from 'node:module';
import * as z from 'zod';

/** Returns the version in the package's package.json. A relative path would differ between sources and dist/. */
export function packageVersion(): string {
  const require = createRequire(import.meta.url);
  return z.object({ version: z.string() }).parse(require('remote-processor/package.json')).version;
}
