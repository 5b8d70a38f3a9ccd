import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.js';

/**
 * `*.test.ts` run on any MongoDB and move time only by setting dates in documents. `*.embedded.test.ts` move the server's
 * clock, kill it, inject faults, or test `local/mongo` itself; with MONGODB_URI set they are left out, and the run says so.
 */
const exclude = process.env.MONGODB_URI ? ['test/**/*.embedded.test.ts'] : [];

/**
 * They test what is shipped: the npm package, the functions as serverless packages and runs them, and the examples of the
 * documentation against the package's types. They take long, and the first needs the npm registry, so `npm test` leaves
 * them to `npm run test:package`.
 */
export const ofPackages = [
  'test/package.test.ts',
  'test/serverless.test.ts',
  'test/e2e/offline.test.ts',
  'test/handlers/build/bundles.test.ts',
  'test/docs-types.test.ts',
];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...exclude, ...ofPackages],
    globalSetup: ['test/database-server.ts', 'test/programs-folder.ts'],
    // One worker runs many files and imports the project once: else a third of the run is importing. So a file must
    // leave behind what it found: no changed globals, no listeners, nothing that still runs.
    isolate: false,
    // More than there are CPUs, for most tests wait more than they compute.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // Ends what hangs, and proves nothing: long enough for a machine that is busy with other things.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // A line per file, and all about what failed.
    reporters: ['default'],
    slowTestThreshold: Number.POSITIVE_INFINITY,
    silent: 'passed-only',
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
});
