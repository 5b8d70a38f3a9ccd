import { defineConfig } from 'vitest/config';

/**
 * Two groups of tests. `portable` (`*.test.ts`) runs on any MongoDB and moves time only by setting dates in
 * documents. `embedded` (`*.embedded.test.ts`) moves the server's clock, kills it, injects faults, or tests
 * `local/mongo` itself; with MONGODB_URI set it is left out, and the run says so.
 */
const exclude = process.env.MONGODB_URI ? ['test/**/*.embedded.test.ts'] : [];

/** These start programs of their own that want the machine for themselves: one file after the other, at the end. */
const manyProcesses = [
  'test/chaos/chaos.test.ts',
  'test/e2e/**',
  'test/local/cli/**',
  'test/processes/**',
  'test/scheduler/processes/**',
  'test/serverless.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/database-server.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'one process',
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, ...manyProcesses],
          // More than there are CPUs: most of them wait more than they compute.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'many processes',
          include: manyProcesses.map((path) => path.replace('/**', '/**/*.test.ts')),
          exclude,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
