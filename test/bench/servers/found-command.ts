import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Returns the path of a program in a folder of PATH or in the given folders. Undefined when there is none. */
export async function foundCommand(
  name: string,
  moreFolders: readonly string[] = [],
): Promise<string | undefined> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...moreFolders]) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
