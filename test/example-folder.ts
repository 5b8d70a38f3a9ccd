import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import { type Example, root } from './documentation.js';

/** The package's entry points: source files, without their extension. */
const entryPoints = {
  'remote-processor': 'src/index',
  'remote-processor/lambda': 'handlers/lambda',
  'remote-processor/esbuild': 'handlers/build/esbuild',
  'remote-processor/cdk': 'handlers/cdk/index',
  'remote-processor/local': 'local/index',
  'remote-processor/opentelemetry': 'src/opentelemetry/index',
  'remote-processor/testing': 'local/testing/index',
};

/** Writes examples into a folder with a `tsconfig.json`, by which they find this package's sources. Returns the folder. */
export async function writeExamples(examples: readonly Example[]): Promise<string> {
  const folder = await mkdtemp(join(inject('programsFolder'), 'docs-'));
  await Promise.all(examples.map((example) => write(folder, example)));
  await writeFile(join(folder, 'tsconfig.json'), settings(examples, join(root, '<entry>.ts')));
  return folder;
}

/** Keeps the lines of the page, so that what the compiler says leads there. */
async function write(folder: string, { file, line, code }: Example): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), '\n'.repeat(line) + code);
}

/**
 * Returns the text of a `tsconfig.json` for examples.
 *
 * @param place where an entry point is, which stands for `<entry>`
 * @param others further files of the folder
 */
export function settings(
  examples: readonly Example[],
  place: string,
  others: readonly string[] = [],
): string {
  const paths = Object.entries(entryPoints).map(([name, entry]) => [name, [place.replace('<entry>', entry)]]);
  const compilerOptions = {
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: Object.fromEntries(paths),
  };
  const files = [...examples.map(({ file }) => file), ...others];
  return JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] });
}
