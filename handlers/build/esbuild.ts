/**
 * The entry point `remote-processor/esbuild`, with a plugin for bundles of functions.
 *
 * @example
 * await build({
 *   entryPoints: ['worker.ts', 'scheduler.ts'],
 *   outdir: 'dist',
 *   outExtension: { '.js': '.mjs' },
 *   format: 'esm',
 *   bundle: true,
 *   splitting: true,
 *   minify: true,
 *   plugins: [remoteProcessor()],
 * });
 *
 * @module remote-processor/esbuild
 */
import type { Plugin, PluginBuild } from 'esbuild';
import { takeClientsInPart } from './clients-in-part.js';
import { leaveOutUnneeded } from './leave-out-unneeded.js';
import { takeOneCopy } from './one-copy.js';
import { setDefaults } from './output-defaults.js';
import { bundleThreads, NAME } from './thread-files.js';

/**
 * Returns an esbuild plugin for bundles with job factories or handlers of this package. The plugin
 *
 * - writes the files that threads start from beside the bundle: the modules of jobs, named as
 *   `new URL('./x.subprocess.js', import.meta.url)`, and the files of this package and of piscina
 * - includes only the used parts of the AWS SDK's clients, and leaves out packages that a function on Lambda never
 *   loads
 * - sets `platform: 'node'`, `mainFields: ['module', 'main']` and `keepNames: true` unless they are set. Names are kept
 *   because logs and callers recognize an error by its class
 * - gives an ES module the `require` that packages in CommonJS expect, and gives CommonJS the `import.meta.url` that ES
 *   modules expect
 *
 * The format may be `esm` or `cjs`. Everything else is up to you. `splitting: true` gives the smallest start, and
 * `minify: true` the smallest file. One plugin may serve several builds.
 *
 * @throws an error of the build if a module of a job does not exist
 */
export function remoteProcessor(): Plugin {
  return {
    name: NAME,
    setup(build) {
      setDefaults(build.initialOptions);
      choosePackages(build);
      bundleThreads(build, choosePackages);
    },
  };
}

function choosePackages(build: PluginBuild): void {
  takeOneCopy(build);
  takeClientsInPart(build);
  leaveOutUnneeded(build);
}
