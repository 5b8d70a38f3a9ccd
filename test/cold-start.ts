/**
 * Measures how long the packaged functions take to import, and their size. Compares with a bundle of the MongoDB driver
 * alone.
 *
 * npx tsx test/cold-start.ts [rounds]
 *
 * Each import runs in a fresh process. The bundles take turns, so that whatever slows the machine slows all of them.
 */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { median } from './bench/statistics.js';
import { bundleFunction, bundling, contentsOf } from './bundle-functions.js';
import { install, packageFunctions } from './package-functions.js';

const ROUNDS = 21;
const names = ['worker', 'scheduler', 'http'];

/** The files of the example jobs, which a deployment replaces with its own. */
const ofJobs = /^(handlers\/jobs[./]|ipaddr\.js$|piscina$)/;

const rounds = Number(process.argv[2] ?? ROUNDS);
const packaged = await packageFunctions({});
const scratch = await install({});
const folders = [scratch];
try {
  for (const name of names) await weigh(name);
  const bundles = [{ name: 'driver', file: await bundleDriver() }];
  for (const name of names) {
    const folder = await install(packaged.packages[name]?.files ?? {});
    folders.push(folder);
    bundles.push({ name, file: join(folder, `handlers/${name}.mjs`) });
  }
  await time(bundles);
} finally {
  for (const folder of folders) await rm(folder, { recursive: true });
  await packaged.remove();
}

async function weigh(name: string): Promise<void> {
  const entry = `handlers/${name}.ts`;
  const { atStart, inAll } = contentsOf(await bundleFunction(await bundling(), entry, scratch), entry);
  const isOfJobs = (source: string) => ofJobs.test(source);
  const isOurs = (source: string) => !isOfJobs(source);
  console.log(
    `${name}: zip ${kilobytes(packaged.packages[name]?.size ?? 0)} KB;`,
    `ours ${bytes(inAll, isOurs)} KB unpacked, of it ${bytes(atStart, isOurs)} KB read at the start;`,
    `the jobs ${bytes(inAll, isOfJobs)} KB, of it ${bytes(atStart, isOfJobs)} KB`,
  );
}

function bytes(contents: Readonly<Record<string, number>>, isCounted: (source: string) => boolean): number {
  const counted = Object.entries(contents).filter(([source]) => isCounted(source));
  return kilobytes(counted.reduce((sum, [, size]) => sum + size, 0));
}

function kilobytes(size: number): number {
  return Math.round(size / 1000);
}

/** Bundles a function with only the driver, without the settings of serverless.yml that reduce the size. */
async function bundleDriver(): Promise<string> {
  const outfile = join(scratch, 'driver.mjs');
  await build({
    stdin: {
      contents: "export { MongoClient } from 'mongodb';",
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return outfile;
}

async function time(bundles: readonly { name: string; file: string }[]): Promise<void> {
  const times = new Map<string, number[]>(bundles.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, file } of bundles) times.get(name)?.push(await importTime(file));
  }
  const base = median(times.get('driver') ?? []);
  for (const [name, all] of times) {
    const middle = median(all);
    console.log(
      `${name}: import ${middle.toFixed(0)} ms, ${(middle / base).toFixed(2)} times that of the driver`,
    );
  }
}

/** Returns the time of an import in milliseconds. */
async function importTime(file: string): Promise<number> {
  const script = `
    const began = performance.now();
    await import(${JSON.stringify(pathToFileURL(file).href)});
    console.log(performance.now() - began);
    process.exit();`;
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: scratch });
  return Number(stdout);
}
