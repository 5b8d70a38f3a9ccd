import { basename, dirname, extname, join, posix, relative, resolve, sep } from 'node:path';
import type { BuildOptions, BuildResult, Metafile, OutputFile, Plugin, PluginBuild } from 'esbuild';
import { bannerOfEsm } from './output-defaults.js';
import { findThreadReferences, THREAD_FILE } from './thread-references.js';

/*
 * A thread starts from a file of its own, which a bundler would not include. The code below builds such files beside
 * the bundle, and makes the bundle refer to them.
 *
 * In a build with one entry, the names of these files and of split chunks begin with the entry's name. For example,
 * worker.mjs gets worker.handlers-jobs-x.subprocess.mjs. So serverless-esbuild puts them into the package of that
 * function only.
 *
 * No published plugin does this. Plugins for `new URL` look for the named file itself, which here is the compiled form
 * of a TypeScript source. None of them knows piscina's file.
 */

/** The name of the plugin. */
export const NAME = 'remote-processor';

/**
 * Folder of the files that threads start from, when the Serverless Framework builds. The framework packs no other
 * folder beside a bundle.
 */
const PACKED = 'node_modules/.remote-processor';

/** The folder of the bundle itself. */
const BESIDE = '.';

/** Options for modules of jobs. A thread imports them, and takes their default export. */
function asModule({ banner, define, format, ...options }: BuildOptions): BuildOptions {
  const { 'import.meta.url': _, ...defined } = define ?? {};
  return {
    ...options,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    banner: format === 'esm' && banner ? banner : { js: bannerOfEsm },
    define: format === 'esm' ? (define ?? {}) : defined,
  };
}

/** Options for piscina's own file, which is CommonJS. */
function asCommonJs(options: BuildOptions): BuildOptions {
  return {
    ...options,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    banner: {},
    external: ['@napi-rs/nice'], // Optional, for priorities, which this project does not use.
  };
}

/**
 * Builds the files that threads start from beside each file of the bundle that refers to them.
 *
 * @param useOthers sets up the other parts of the plugin for these files
 */
export function bundleThreads(build: PluginBuild, useOthers: (build: PluginBuild) => void): void {
  const options = build.initialOptions;
  const name = bundleName(options);
  if (name !== undefined) options.chunkNames ??= `${name}.[name]-[hash]`;
  options.metafile = true;
  const files = new ThreadFiles(build, useOthers, name);
  const folder = folderFrom(options);
  files.name(build, folder);
  build.onEnd(async (result) => {
    if (result.errors.length > 0) return;
    const written = await files.buildFor(result, folder);
    result.outputFiles?.push(...written);
  });
}

class ThreadFiles {
  readonly #esbuild: PluginBuild['esbuild'];
  readonly #options: BuildOptions;
  readonly #plugins: Plugin[];
  readonly #bundle: string | undefined;

  constructor(build: PluginBuild, useOthers: (build: PluginBuild) => void, bundle: string | undefined) {
    this.#esbuild = build.esbuild;
    this.#options = build.initialOptions;
    this.#bundle = bundle;
    const setup = (nested: PluginBuild) => {
      useOthers(nested);
      this.name(nested, BESIDE);
    };
    const plugins = build.initialOptions.plugins ?? [];
    this.#plugins = plugins.map((plugin) => (plugin.name === NAME ? { name: NAME, setup } : plugin));
  }

  /** Has a build refer to the files. @param folder of the files, seen from the bundle */
  name(build: PluginBuild, folder: string): void {
    findThreadReferences(build);
    build.onLoad({ filter: /^/, namespace: THREAD_FILE }, ({ path }) => ({
      contents: `export default /* @__PURE__ */ new URL(${JSON.stringify(`${folder}/${this.#nameOf(path)}`)}, import.meta.url);`,
      watchFiles: [path],
    }));
  }

  /** Builds the files that a bundle refers to. Each file may refer to further files, or to itself. */
  async buildFor(bundle: BuildResult, folder: string, begun = new Set<string>()): Promise<OutputFile[]> {
    const { absWorkingDir = '' } = this.#options;
    const referred = referencesOf(bundle.metafile).map(({ source, from }) => ({
      source,
      file: resolve(absWorkingDir, from, folder, this.#nameOf(source)),
    }));
    const missing = referred.filter(({ file }) => !begun.has(file));
    for (const { file } of missing) begun.add(file);
    const written = await Promise.all(missing.map(({ source, file }) => this.#build(source, file, begun)));
    return written.flat();
  }

  async #build(source: string, file: string, begun: Set<string>): Promise<OutputFile[]> {
    const { stdin, outdir, entryNames, chunkNames, ...options } = this.#options;
    const result = await this.#esbuild.build({
      ...(isOfPiscina(source) ? asCommonJs : asModule)(options),
      entryPoints: [source],
      outfile: file,
      splitting: false,
      metafile: true,
      logLevel: 'silent', // The build that this is a part of reports its failure.
      plugins: this.#plugins,
    });
    return [...(result.outputFiles ?? []), ...(await this.buildFor(result, BESIDE, begun))];
  }

  #nameOf(source: string): string {
    const extension = isOfPiscina(source) ? '.cjs' : '.mjs';
    const parts = [this.#bundle, flatName(source, this.#options)].filter((part) => part !== undefined);
    return `${parts.join('.')}${extension}`;
  }
}

function isOfPiscina(source: string): boolean {
  return /[\\/]piscina[\\/]dist[\\/]worker\.js$/.test(source);
}

/** Returns the sources of threads that the files of a bundle refer to, and the folders of those files. */
function referencesOf(metafile: Metafile | undefined): { readonly source: string; readonly from: string }[] {
  return Object.entries(metafile?.outputs ?? {}).flatMap(([output, { inputs }]) =>
    Object.entries(inputs)
      .filter(([input, { bytesInOutput }]) => input.startsWith(`${THREAD_FILE}:`) && bytesInOutput > 0)
      .map(([input]) => ({ source: input.slice(THREAD_FILE.length + 1), from: dirname(output) })),
  );
}

/** Returns the name of a bundle. Undefined if its entry is a text, or if it has several entries. */
function bundleName({ entryPoints, outfile }: BuildOptions): string | undefined {
  if (outfile !== undefined) return withoutExtension(basename(outfile));
  const outputs = Array.isArray(entryPoints)
    ? entryPoints.map((entry) => (typeof entry === 'string' ? withoutExtension(entry) : entry.out))
    : Object.keys(entryPoints ?? {});
  const [output, another] = outputs;
  return output !== undefined && another === undefined ? basename(output) : undefined;
}

/** Returns the folder of the files, seen from the bundle. */
function folderFrom({ outfile, absWorkingDir = process.cwd() }: BuildOptions): string {
  const file = outfile === undefined ? '' : resolve(absWorkingDir, outfile);
  const [, root] = /^(.*[\\/]\.serverless[\\/]build)[\\/]/.exec(file) ?? [];
  if (root === undefined) return BESIDE;
  return relative(dirname(file), join(root, PACKED)).replaceAll(sep, posix.sep);
}

/**
 * Returns the path of a file as a flat name. The path is relative to this project, or to the package that contains the
 * file.
 */
function flatName(path: string, { absWorkingDir = process.cwd() }: BuildOptions): string {
  const fromPackage = path.split(/[\\/]node_modules[\\/]/).at(-1) ?? path;
  const name = fromPackage === path ? relative(absWorkingDir, path) : fromPackage;
  return withoutExtension(name)
    .replace(/^(?:\.\.[\\/])+/, (up) => '_'.repeat(up.length))
    .replace(/[\\/]/g, '-');
}

function withoutExtension(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}
