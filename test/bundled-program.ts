import type { BuildOptions } from 'esbuild';

/**
 * Options that bundle a program of this project into one file for node. It then starts five times as fast as with tsx.
 */
export const bundledProgram = {
  bundle: true,
  // piscina starts threads from a file of its own.
  external: ['piscina'],
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // Saves each process a tenth of its start-up. Names stay.
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'error',
  // Fails for a file that package.json does not list in `sideEffects`.
  logOverride: { 'ignored-bare-import': 'error' },
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
} as const satisfies BuildOptions;
