import type { SubprocessContext } from '../../src/index.js';

/** Throws an error of another copy of this package than the thread's own. */
export default async function throwIts({ input }: SubprocessContext<{ copy: string; kind: string }>) {
  const copy = await import(input.copy);
  throw new copy[input.kind](input.kind === 'RemoteException' ? 'hopeless' : '3m');
}
