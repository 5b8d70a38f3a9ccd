import type { SubprocessContext } from '../../src/index.js';

/** Throws an error from a different copy of this package than the thread's. */
export default async function throwIts({ input }: SubprocessContext<{ copy: string; kind: string }>) {
  const copy = await import(input.copy);
  throw new copy[input.kind](input.kind === 'RemoteException' ? 'hopeless' : '3m');
}
