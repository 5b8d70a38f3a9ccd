import { existsSync } from 'node:fs';

/*
 * Finds the source file of a subprocess module. Code names the module by its compiled file: `new URL('./x.subprocess.js',
 * import.meta.url)`. When tsx or vitest runs the source, only `x.subprocess.ts` exists. Their resolver and compiler do not work
 * in a thread. So this file finds the source, and makes the thread load tsx. It changes nothing in compiled or bundled code.
 */

/** Returns the module's file, or its source file if only that exists. */
export function sourceFile(module: URL): URL {
  if (module.protocol !== 'file:' || existsSync(module)) return module;
  const source = new URL(module);
  source.pathname = source.pathname.replace(/\.js$/, '.ts');
  return existsSync(source) ? source : module;
}

/**
 * Returns Node's arguments for a thread that runs `file`: the arguments of this process, or for a source file, arguments that
 * load tsx.
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
