import { existsSync } from 'node:fs';

/*
 * A subprocess module is named by its compiled file: `new URL('./x.subprocess.js', import.meta.url)`. When tsx or
 * vitest runs the source, only `x.subprocess.ts` exists, and they give a thread no resolver or compiler. This file
 * makes up for that. It changes nothing in compiled or bundled code.
 */

/** Returns the module's file, or its source file if only that exists. */
export function sourceFile(module: URL): URL {
  if (module.protocol !== 'file:' || existsSync(module)) return module;
  const source = new URL(module);
  source.pathname = source.pathname.replace(/\.js$/, '.ts');
  return existsSync(source) ? source : module;
}

/**
 * Returns Node's arguments for a thread that runs `file`: those of this process, or for a source file, those that load
 * tsx.
 */
export function threadArguments(file: URL): string[] {
  const fromSource = [file.pathname, import.meta.url].some((path) => path.endsWith('.ts'));
  return fromSource ? ['--import', registerTsx()] : process.execArgv;
}

/** Returns a module that registers tsx through its API. A plain `--import tsx` has no effect in a thread. */
function registerTsx(): string {
  const api = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return `data:text/javascript,${encodeURIComponent(`import { register } from ${api}; register();`)}`;
}
