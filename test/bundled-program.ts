import type { BuildOptions } from 'esbuild';

/** How a program of this project becomes one file for node to run: it starts in a fifth of the time that it takes with tsx. */
export const bundledProgram = {
  bundle: true,
  // It starts threads from a file of its own.
  external: ['piscina'],
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // A tenth less for each process that starts; names stay.
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'error',
  // Of a file that package.json does not list in `sideEffects`.
  logOverride: { 'ignored-bare-import': 'error' },
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
} as const satisfies BuildOptions;
