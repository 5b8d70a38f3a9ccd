/** The examples of the documentation compile, and so do the projects that `init` writes. All are compiled at once. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deploymentTools, writeProject } from '../local/cli/init/write-project.js';
import { documentation, examplesOf, root } from './documentation.js';
import { settings, writeExamples } from './example-folder.js';

// Against the package's declarations: the whole source would be checked once more, which takes three times as long.
test('the examples compile, and so do the projects that `init` writes', async () => {
  const examples = (await documentation()).flatMap(examplesOf);
  const folder = await writeExamples(examples);
  const projects = await Promise.all(deploymentTools.map((tool) => writeProjectOf(tool, folder)));
  await writeFile(
    join(folder, 'tsconfig.types.json'),
    settings(examples, './types/<entry>.d.ts', projects.flat()),
  );

  expect(
    await compile(folder, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'types')),
  ).toBe('');
  expect(await compile(folder, '-p', join(folder, 'tsconfig.types.json'))).toBe('');
});

/** Returns the project's TypeScript files, from the folder. */
async function writeProjectOf(tool: (typeof deploymentTools)[number], folder: string): Promise<string[]> {
  const project = `project-${tool}`;
  const written = await writeProject(join(folder, project), tool);
  return written.filter((file) => file.endsWith('.ts')).map((file) => join(project, file));
}

/** Returns what the compiler complains of. One thread takes a third less CPU time than several. */
function compile(folder: string, ...options: string[]): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, ...options, '--pretty', 'false', '--singleThreaded'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}
