import { defineConfig } from 'vitest/config';

/**
 * Two groups of tests. `portable` (`*.test.ts`) runs on any MongoDB and moves time only by setting dates in
 * documents. `embedded` (`*.embedded.test.ts`) moves the server's clock, kills it, injects faults, or tests
 * `local/mongo` itself; with MONGODB_URI set it is left out, and the run says so.
 */
const embedded = 'test/**/*.embedded.test.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: process.env.MONGODB_URI ? [embedded] : [],
    globalSetup: ['test/database-server.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
