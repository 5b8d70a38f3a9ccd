/**
 * Imports a package that only the benchmark installs. By a name that the compiler does not see, so that the project
 * type-checks without it.
 */
export async function loadPeer(name: string): Promise<unknown> {
  return import(name);
}
