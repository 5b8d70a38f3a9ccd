import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import type { Loader, OnLoadResult, PluginBuild } from 'esbuild';

/** The namespace of modules whose default export is the URL of a file that a thread starts from. */
export const THREAD_FILE = 'thread-file';

/** Matches such a URL where it is a value. Does not match one in a comment or a string. */
const URL_OF_MODULE =
  /(?<=^(?!\s*(?:\*|\/\/|\/\*)).*(?:[=(:,?[]\s*|\breturn\s+))new URL\(\s*(['"])(\.{1,2}\/[^'"]+\.[cm]?[jt]s)\1,\s*import\.meta\.url,?\s*\)/gm;

/** Matches piscina's own code. If that code changes, the build fails, rather than a job in production. */
const PISCINA_THREAD = "(0, node_path_1.resolve)(__dirname, 'worker.js')";

/**
 * Replaces each reference to a file that a thread starts from. It becomes an import of a module in the namespace
 * `THREAD_FILE`. There are two kinds of references:
 *
 *   new URL('./x.subprocess.js', import.meta.url)    the module of a job, or any other module named in this way
 *   resolve(__dirname, 'worker.js')                  the file from which piscina starts its threads
 */
export function findThreadReferences(build: PluginBuild): void {
  build.onLoad({ filter: /[\\/]piscina[\\/]dist[\\/]index\.js$/ }, ({ path }) => ofPiscina(path));
  build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: 'file' }, ({ path }) =>
    isOwn(path) ? ofModule(path, build.initialOptions.loader) : undefined,
  );
  build.onResolve({ filter: new RegExp(`^${THREAD_FILE}:`) }, ({ path }) => ({
    path: path.slice(THREAD_FILE.length + 1),
    namespace: THREAD_FILE,
    sideEffects: false,
  }));
}

/**
 * Returns whether to search a file for such references. Other packages are not searched. This package is, also as a
 * dependency.
 */
function isOwn(path: string): boolean {
  const inPackage = path
    .split(/[\\/]node_modules[\\/]/)
    .slice(1)
    .at(-1);
  return inPackage === undefined || /^remote-processor[\\/]/.test(inPackage);
}

async function ofModule(
  path: string,
  loaders: Readonly<Record<string, Loader>> = {},
): Promise<OnLoadResult | undefined> {
  const source = await readFile(path, 'utf8');
  const imports: string[] = [];
  const contents = source.replaceAll(URL_OF_MODULE, (_match, _quote, specifier: string) => {
    const name = `urlOfThread${imports.length}`;
    const file = sourceOf(resolve(dirname(path), specifier), path);
    imports.push(`import ${name} from ${JSON.stringify(`${THREAD_FILE}:${file}`)};`);
    return name;
  });
  if (imports.length === 0) return undefined;
  const extension = extname(path);
  const [loader = 'js'] = /[jt]sx?$/.exec(extension) ?? [];
  return { contents: `${imports.join(' ')} ${contents}`, loader: loaders[extension] ?? asLoader(loader) };
}

function asLoader(extension: string): Loader {
  return loadersByName.find((loader) => loader === extension) ?? 'js';
}

const loadersByName = ['js', 'jsx', 'ts', 'tsx'] as const;

async function ofPiscina(path: string): Promise<OnLoadResult> {
  const source = await readFile(path, 'utf8');
  if (!source.includes(PISCINA_THREAD)) throw new Error(`${path} no longer contains ${PISCINA_THREAD}`);
  const file = JSON.stringify(`${THREAD_FILE}:${resolve(dirname(path), 'worker.js')}`);
  return {
    contents: source.replace(PISCINA_THREAD, `require('node:url').fileURLToPath(require(${file}).default)`),
  };
}

/** Returns the source file of a module. References name the compiled file, which does not exist before compilation. */
function sourceOf(module: string, importer: string): string {
  const source = [module, module.replace(/js$/, 'ts')].find((path) => existsSync(path));
  if (source === undefined)
    throw new Error(`${importer} names ${module}, and there is neither it nor its source.`);
  return source;
}
