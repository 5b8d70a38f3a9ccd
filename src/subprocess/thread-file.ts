import { existsSync } from 'node:fs';
import { RemoteException } from '../errors.js';
import { sourceFile } from './source-file.js';

/**
 * Returns the file from which threads start. A bundle lacks it, unless a plugin builds it beside the bundle.
 *
 * @throws RemoteException in a bundle without it, because a retry would not help
 */
export function threadFile(): URL {
  const file = fileBesideThis();
  if (file !== undefined && existsSync(file)) return file;
  throw new RemoteException(
    'A job with a module cannot run in this bundle: the file that its thread starts from was left behind. Bundle with the plugin of remote-processor/esbuild, or leave remote-processor and piscina out of the bundle (esbuild: --external:remote-processor --external:piscina) and deploy their packages beside it.',
  );
}

/** Returns undefined in a CommonJS bundle, where `import.meta.url` has no value. */
function fileBesideThis(): URL | undefined {
  try {
    return sourceFile(new URL('./thread.js', import.meta.url));
  } catch {
    return undefined;
  }
}
