/**
 * The documentation holds: examples marked `ts run` print what their comments say, those marked `ts` compile, and links
 * lead somewhere. All are compiled at once, and run one after the other in one process.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { deploymentTools, writeProject } from '../local/cli/init/write-project.js';
import { bundledProgram } from './bundled-program.js';
import { anchorsOf, documentation, type Example, examplesOf, linksOf, root } from './documentation.js';

const pages = await documentation();
const examples = pages.flatMap(examplesOf);
const running = examples.filter(({ runs }) => runs);

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

let folder: string;
/** Of the projects that the command `init` writes. */
const projectFiles: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(inject('programsFolder'), 'docs-'));
  await Promise.all(examples.map(write));
  for (const tool of deploymentTools) {
    const written = await writeProject(join(folder, `project-${tool}`), tool);
    projectFiles.push(
      ...written.filter((file) => file.endsWith('.ts')).map((file) => `project-${tool}/${file}`),
    );
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings(join(root, '<entry>.ts'))));
  await writeFile(join(folder, 'tsconfig.types.json'), JSON.stringify(settings('./types/<entry>.d.ts')));
});

/** Keeps the lines of the page, so that what the compiler says leads there. */
async function write({ file, line, code }: Example): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), '\n'.repeat(line) + code);
}

/** @param place where an entry point is, which stands for `<entry>` */
function settings(place: string): object {
  const paths = Object.entries(entryPoints).map(([name, entry]) => [name, [place.replace('<entry>', entry)]]);
  const compilerOptions = {
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: Object.fromEntries(paths),
  };
  const files = [...examples.map(({ file }) => file), ...projectFiles];
  return { extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] };
}

// Against the package's declarations: the whole source would be checked once more, which takes three times as long.
test('the examples compile, and so do the projects that `init` writes', async () => {
  expect(await compile('-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'types'))).toBe('');
  expect(await compile('-p', join(folder, 'tsconfig.types.json'))).toBe('');
});

/** Returns what the compiler complains of. One thread takes a third less CPU time than several. */
function compile(...options: string[]): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, ...options, '--pretty', 'false', '--singleThreaded'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

describe('the examples', () => {
  let printed: ReadonlyMap<string, string[]>;
  beforeAll(async () => {
    printed = await runAll(running);
  });

  test('are there', () => {
    expect(running.length).toBeGreaterThan(0);
  });

  test.each(running.map((example) => [example.file, example] as const))(
    '%s prints what its comments say',
    (file, { code }) => {
      const expected = [...code.matchAll(/console\.log\(.*\)\)?; \/\/ (.*)$/gm)].map(
        ([, comment]) => comment,
      );
      expect(printed.get(file)).toEqual(expected);
    },
  );
});

/** Runs examples in one process. It has to end by itself: an example that leaves something open fails all. */
async function runAll(all: readonly Example[]): Promise<Map<string, string[]>> {
  await writeFile(join(folder, 'program.ts'), programOf(all));
  const modules = examples.filter(({ file }) => file.endsWith('.subprocess.ts')).map(({ file }) => file);
  await build({
    absWorkingDir: root,
    tsconfig: join(folder, 'tsconfig.json'),
    entryPoints: ['program.ts', ...modules, join(root, 'src/subprocess/thread.ts')].map((file) =>
      file.startsWith(root) ? file : join(folder, file),
    ),
    entryNames: '[name]',
    outdir: join(folder, 'out'),
    ...bundledProgram,
  });
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'out/program.js')], {
    timeout: 200_000,
  });
  return printedBy(stdout);
}

/** Marks the line that says which example begins. */
const BEGINS = 'example begins: ';

/** A program that imports one example after the other. What one of them throws is among what it printed. */
function programOf(all: readonly Example[]): string {
  const imports = all
    .map(({ file }) => [JSON.stringify(BEGINS + file), JSON.stringify(`./${file}`)])
    .map(([begins, file]) => `console.log(${begins}); await import(${file}).catch(tell);`);
  return [
    'let hasFailed = false;',
    'function tell(error: unknown) { hasFailed = true; console.log(error); }',
    ...imports,
    'if (hasFailed) process.exit(); // it may have left something open',
  ].join('\n');
}

function printedBy(stdout: string): Map<string, string[]> {
  const [, ...parts] = stdout.split(BEGINS);
  return new Map(
    parts.map((part) => {
      const [file = '', ...lines] = part.trim().split('\n');
      return [file, lines.filter((line) => !line.startsWith('{"time"'))];
    }),
  );
}

describe('links', () => {
  test.each(pages.map((page) => [page.path, page] as const))('of %s lead somewhere', async (_, page) => {
    const broken = await Promise.all(
      linksOf(page).map(async (link) => ((await leads(link.page, link.target)) ? undefined : link.target)),
    );
    expect(broken.filter((target) => target !== undefined)).toEqual([]);
  });
});

async function leads(page: string, target: string): Promise<boolean> {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  const isThere = await access(join(root, file)).then(
    () => true,
    () => false,
  );
  if (!isThere || anchor === undefined) return isThere;
  return anchorsOf(await readFile(join(root, file), 'utf8')).has(anchor);
}
