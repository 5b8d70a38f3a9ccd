/**
 * Imports a package that only the benchmark installs. The compiler does not see the name, so that the project
 * type-checks without the package.
 */
export async function loadPeer(name: string): Promise<unknown> {
  return import(name);
}
