import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fieldOf } from '../../../src/mongo/driver-error.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { packageVersion } from '../version.js';

/** The tools that deploy a project. */
export const deploymentTools = ['serverless', 'cdk'] as const;

export type DeploymentTool = (typeof deploymentTools)[number];

/** The files of a project. */
const templates = fileURLToPath(new URL('../project', import.meta.url));

/** The name of the project in the templates. */
const NAME = 'my-jobs';

/**
 * Writes a working project into a folder. Makes the folder if there is none. The project has the folder's name.
 *
 * @returns the paths of the files, relative to the folder
 * @throws CommandFailure if the folder is not empty, before anything is written
 */
export async function writeProject(folder: string, tool: DeploymentTool): Promise<string[]> {
  await requireEmpty(folder);
  const name = projectName(folder);
  const written = await Promise.all(
    ['common', tool].map((part) => writeTemplates(join(templates, part), folder, name)),
  );
  return written.flat().toSorted();
}

async function requireEmpty(folder: string): Promise<void> {
  const problem = await problemOf(folder);
  if (problem)
    throw new CommandFailure(exitCode.usage, `${folder} ${problem}: name a new folder, or an empty one`, {
      code: 'folder_not_empty',
    });
}

async function problemOf(folder: string): Promise<string | undefined> {
  try {
    return (await readdir(folder)).length > 0 ? 'is not empty' : undefined;
  } catch (error) {
    const code = fieldOf(error, 'code');
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR') return 'is a file';
    throw error;
  }
}

async function writeTemplates(from: string, folder: string, name: string): Promise<string[]> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(from, join(entry.parentPath, entry.name)));
  return Promise.all(
    files.map(async (file) => {
      const written = file.replace(/^gitignore$/, '.gitignore'); // npm leaves out files of this name.
      await mkdir(dirname(join(folder, written)), { recursive: true });
      await writeFile(join(folder, written), fill(await readFile(join(from, file), 'utf8'), name));
      return written;
    }),
  );
}

function fill(template: string, name: string): string {
  return template
    .replaceAll(NAME, name)
    .replace('"remote-processor": "*"', `"remote-processor": "^${packageVersion()}"`);
}

/** Makes a name that npm, CloudFormation and Lambda accept from the name of the folder. */
function projectName(folder: string): string {
  const words =
    basename(resolve(folder))
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  const name = words
    .join('-')
    .replace(/^[^a-z]+/, '')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/-$/, '');
  return name === '' ? NAME : name;
}

/** The longest name. Lambda allows 64 characters for the name of a function, such as `<name>-prod-ensureIndexes`. */
const MAX_NAME_LENGTH = 40;
