import { existsSync } from 'node:fs';

/*
 * A subprocess module is named by the file it is compiled to: `new URL('./x.subprocess.js', import.meta.url)`. Run
 * from source, by tsx or vitest, only `x.subprocess.ts` exists, and a thread, unlike an import, gets no resolver and
 * no compiler from them. This file makes up for that; compiled or bundled, it changes nothing.
 */

/** The module itself or, where only its source exists, that. */
export function sourceFile(module: URL): URL {
  if (module.protocol !== 'file:' || existsSync(module)) return module;
  const source = new URL(module);
  source.pathname = source.pathname.replace(/\.js$/, '.ts');
  return existsSync(source) ? source : module;
}

/** Arguments of Node for the threads that run `file`: those of this process or, for a source file, tsx. */
export function threadArguments(file: URL): string[] {
  const fromSource = [file.pathname, import.meta.url].some((path) => path.endsWith('.ts'));
  return fromSource ? ['--import', registerTsx()] : process.execArgv;
}

/** Plain `--import tsx` does nothing in a thread; there, its API must be called. */
function registerTsx(): string {
  const api = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return `data:text/javascript,${encodeURIComponent(`import { register } from ${api}; register();`)}`;
}
