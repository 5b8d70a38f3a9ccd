import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, relative, resolve } from 'node:path';

/*
 * A thread starts from a file of its own, which a bundler would not include. This esbuild plugin builds such files as
 * further entries beside the bundle, and makes the bundle refer to them:
 *
 *   new URL('./x.subprocess.js', import.meta.url)    the module of a job, or any other module named in this way
 *   resolve(__dirname, 'worker.js')                  the file from which piscina starts its threads
 *
 * The files are named after the bundle (worker.mjs gets worker.handlers-jobs-x.subprocess.mjs), and so are the chunks
 * that esbuild splits off. So serverless-esbuild puts them into the package of that function, and into no other.
 *
 * No published plugin does this. Plugins for `new URL` look for the named file itself, which here is the compiled form
 * of a TypeScript source. None of them knows piscina's file.
 */

/** Matches the URL as a value, not where a comment or a string mentions one. */
const URL_OF_MODULE =
  /(?<=^(?!\s*(?:\*|\/\/|\/\*)).*(?:[=(:,?[]\s*|\breturn\s+))new URL\(\s*(['"])(\.{1,2}\/[^'"]+\.[cm]?js)\1,\s*import\.meta\.url,?\s*\)/gm;

/** Matches piscina's own code. If that code changes, the build fails, rather than a job in production. */
const PISCINA_THREAD = "(0, node_path_1.resolve)(__dirname, 'worker.js')";

/** Options for piscina's own file, which is CommonJS. */
const asCommonJs = {
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  banner: {},
  splitting: false,
  external: ['@napi-rs/nice'], // Optional, for priorities, which this project does not use.
};

/** @type {import('esbuild').Plugin} */
export const threadEntries = {
  name: 'thread-entries',
  setup(build) {
    const entries = new Entries(build);
    build.initialOptions.chunkNames = `${bundleName(build.initialOptions)}.[name]-[hash]`;
    build.onStart(() => entries.clear());
    build.onEnd(() => entries.finish());
    nameEntries(build, entries);
  },
};

/** The further entries of one bundle. Each is built once, however often it is referred to. */
class Entries {
  #build;
  #underWay = new Map();

  constructor(build) {
    this.#build = build;
  }

  /** Starts building a module, and returns the name of its future file. */
  add(path, options = {}) {
    const { initialOptions } = this.#build;
    const out = `${bundleName(initialOptions)}.${flatName(path, initialOptions)}`;
    if (!this.#underWay.has(out)) this.#underWay.set(out, this.#buildEntry(path, out, options));
    return out + ({ ...initialOptions, ...options }.outExtension?.['.js'] ?? '.js');
  }

  /** Resolves when all entries are built. An entry may refer to further ones, including itself. */
  async finish() {
    for (const building of this.#underWay.values()) await building;
  }

  clear() {
    this.#underWay.clear();
  }

  #buildEntry(path, out, options) {
    return this.#build.esbuild.build({
      ...this.#build.initialOptions,
      ...options,
      entryPoints: [{ in: path, out }],
      plugins: [{ name: 'thread-entries', setup: (build) => nameEntries(build, this) }],
    });
  }
}

function nameEntries(build, entries) {
  build.onLoad({ filter: /[\\/]piscina[\\/]dist[\\/]index\.js$/ }, ({ path }) => nameThread(path, entries));
  build.onLoad({ filter: /\.[cm]?[jt]s$/ }, ({ path }) =>
    isOwn(path) ? nameModules(path, entries) : undefined,
  );
}

/**
 * Returns whether to search a file for such references. Files of other packages are not searched, except this package
 * as a dependency.
 */
function isOwn(path) {
  return !/[\\/]node_modules[\\/](?!remote-processor[\\/](?!.*[\\/]node_modules[\\/]))/.test(path);
}

async function nameModules(path, entries) {
  const source = await readFile(path, 'utf8');
  const contents = source.replaceAll(URL_OF_MODULE, (_match, _quote, specifier) => {
    const file = entries.add(sourceOf(resolve(dirname(path), specifier), path));
    return `new URL('./${file}', import.meta.url)`;
  });
  return contents === source ? undefined : { contents, loader: /ts$/.test(path) ? 'ts' : 'js' };
}

async function nameThread(path, entries) {
  const source = await readFile(path, 'utf8');
  if (!source.includes(PISCINA_THREAD)) throw new Error(`${path} no longer contains ${PISCINA_THREAD}`);
  const file = entries.add(resolve(dirname(path), 'worker.js'), asCommonJs);
  return { contents: source.replace(PISCINA_THREAD, `(0, node_path_1.resolve)(__dirname, '${file}')`) };
}

/** Returns a module's file. A module is named by its compiled file, and before compilation only its source exists. */
function sourceOf(module, importer) {
  const source = [module, module.replace(/js$/, 'ts')].find(existsSync);
  if (source === undefined)
    throw new Error(`${importer} names ${module}, and there is neither it nor its source.`);
  return source;
}

function bundleName({ entryPoints: [entry] }) {
  return withoutExtension(basename(entry));
}

/** Returns a path relative to this project, or to the package that contains the file, wherever it is installed. */
function flatName(path, { absWorkingDir = process.cwd() }) {
  const fromPackage = path.split(/[\\/]node_modules[\\/]/).at(-1);
  const name = fromPackage === path ? relative(absWorkingDir, path) : fromPackage;
  return withoutExtension(name).replace(/[\\/]/g, '-');
}

function withoutExtension(path) {
  return path.slice(0, -extname(path).length);
}
