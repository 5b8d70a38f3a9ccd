/**
 * The documentation holds: examples marked `ts run` print what their comments say, and links lead somewhere. All examples
 * are bundled at once, and run one after the other in one process. docs-types.test.ts compiles them.
 */
import { execFile } from 'node:child_process';
import { access, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundledProgram } from './bundled-program.js';
import { anchorsOf, documentation, type Example, examplesOf, linksOf, root } from './documentation.js';
import { writeExamples } from './example-folder.js';

const pages = await documentation();
const examples = pages.flatMap(examplesOf);
const running = examples.filter(({ runs }) => runs);

let folder: string;
beforeAll(async () => {
  folder = await writeExamples(examples);
});

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
