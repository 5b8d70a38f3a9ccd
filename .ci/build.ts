/**
 * What `npm run build` runs: makes dist/, which is what the package holds. Each file of ours stays a file of its own, so
 * that a stack trace names it. A package that package.json names as a dependency or as a peer is left to npm to install.
 * Of every other package, the part that is used comes along, with its licence: so a project that installs this one is
 * spared the rest. What is made of ES modules is there as CommonJS too, for `require` where it takes no ES modules.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import * as z from 'zod';
import { findBundled, licencesOf } from './bundled-packages.js';

/** What is imported, and so has types. */
const entries = [
  'src/index.ts',
  'handlers/lambda.ts',
  'handlers/build/esbuild.ts',
  'handlers/cdk/index.ts',
  'local/index.ts',
  'src/opentelemetry/index.ts',
  'local/testing/index.ts',
];
/** What is started: the command line, and threads. */
const thread = 'src/subprocess/thread.ts';
const programs = ['local/cli/main.ts', thread, 'handlers/jobs/checksum.subprocess.ts'];

const manifestSchema = z.object({
  dependencies: z.record(z.string(), z.string()),
  peerDependencies: z.record(z.string(), z.string()),
});

const options = {
  outdir: 'dist',
  outbase: '.',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
  // Of a file that package.json does not list in `sideEffects`.
  logOverride: { 'ignored-bare-import': 'error' },
} satisfies BuildOptions;

async function compile(): Promise<void> {
  const files = await findFiles([...entries, ...programs]);
  const { dependencies, peerDependencies } = manifestSchema.parse(readJson('package.json'));
  const installed = Object.keys({ ...dependencies, ...peerDependencies });
  const isBundled = (name: string) =>
    !isBuiltin(name) && !installed.some((known) => name === known || name.startsWith(`${known}/`));
  const bundles = (file: string) =>
    files[file]?.imports.some(({ path, external }) => external && isBundled(path)) ?? false;

  const plain = Object.keys(files).filter((file) => !bundles(file));
  await build({ ...options, entryPoints: plain });
  const { metafile } = await build({
    ...options,
    entryPoints: Object.keys(files).filter(bundles),
    bundle: true,
    splitting: true,
    chunkNames: 'bundled/[name]-[hash]',
    mainFields: ['module', 'main'],
    external: installed,
    plugins: [ownFilesApart, ownCopies, builtinsOfCommonJs],
    metafile: true,
  });
  dropImportsForOrder(metafile);
  writeBundled(metafile);
}

/**
 * Compiles the entry points, and the thread that they start, file by file, to CommonJS. In package.json this copy comes after
 * `module-sync`: Node.js that requires ES modules takes those, so that a process has one copy and not two.
 */
async function compileCommonJs(): Promise<void> {
  const toCommonJs = {
    ...options,
    outdir: 'dist/commonjs',
    outbase: 'dist',
    format: 'cjs',
    // `resolve` is for threads that run TypeScript, which this copy starts none of.
    define: { 'import.meta.url': 'importMetaUrl', 'import.meta.resolve': 'require.resolve' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  } satisfies BuildOptions;
  const findCompiled = async (sources: string[]) => Object.keys(await findFiles(sources.map(compiled)));
  // Jest has no `import()` where its modules are CommonJS.
  await build({
    ...toCommonJs,
    entryPoints: await findCompiled(entries),
    supported: { 'dynamic-import': false },
  });
  // The thread imports modules of the user, which may be ES modules.
  await build({ ...toCommonJs, entryPoints: await findCompiled([thread]) });
  writeFileSync('dist/commonjs/package.json', '{ "type": "commonjs" }\n');
}

function compiled(source: string): string {
  return `dist/${source.replace(/ts$/, 'js')}`;
}

/** All files of ours that these import, and what they import. */
async function findFiles(entryPoints: string[]): Promise<Metafile['inputs']> {
  const { metafile } = await build({
    ...options,
    entryPoints,
    bundle: true,
    packages: 'external',
    write: false,
    metafile: true,
  });
  return metafile.inputs;
}

/** Imports between files of ours stay as they are. */
const ownFilesApart: Plugin = {
  name: 'own-files-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, importer, kind }) =>
      kind === 'entry-point' || /[\\/]node_modules[\\/]/.test(importer)
        ? undefined
        : { path, external: true },
    );
  },
};

/** prom-client loads an optional peer of ours at once, which our users need not have. */
const ownCopies: Plugin = {
  name: 'own-copies',
  setup({ onResolve }) {
    onResolve({ filter: /^@opentelemetry\/api$/ }, ({ path, importer }) =>
      /[\\/]node_modules[\\/]prom-client[\\/]/.test(importer)
        ? { path: fileURLToPath(import.meta.resolve(path)) }
        : undefined,
    );
  },
};

/** An ES module has no `require`, which CommonJS packages get modules of Node with. */
const builtinsOfCommonJs: Plugin = {
  name: 'builtins-of-commonjs',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^/ }, ({ path, kind }) =>
      kind === 'require-call' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /^/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/**
 * Drops imports that only keep the order of chunks. No chunk has an effect when it loads, and package.json says so. A
 * bundler would warn a user that it ignores them.
 */
function dropImportsForOrder({ outputs }: Metafile): void {
  for (const file of Object.keys(outputs)) {
    const code = readFileSync(file, 'utf8');
    writeFileSync(file, code.replaceAll(/^import "[^"]*\/(?:bundled\/)?chunk-\w+\.js";\n/gm, ''));
  }
}

/** Tells, in the package, what of others is in it. */
function writeBundled(metafile: Metafile): void {
  const packages = findBundled(metafile);
  mkdirSync('dist/bundled', { recursive: true });
  const told = packages.map(({ name, version, license }) => ({ name, version, license }));
  writeFileSync('dist/bundled/packages.json', `${JSON.stringify(told, undefined, 2)}\n`);
  writeFileSync('dist/bundled/LICENSES.txt', licencesOf(packages));
}

/** Only types that an entry point shows, for others may be of packages that users do not have. */
function declareTypes(): void {
  const made = tsc('-p', 'tsconfig.build.json', '--listEmittedFiles').flatMap(
    (line) => /^TSFILE: (.+)/.exec(line)?.[1] ?? [],
  );
  const roots = entries.map((entry) => `dist/${entry.replace(/ts$/, 'd.ts')}`);
  const shown = new Set(tsc('--ignoreConfig', '--listFilesOnly', '--module', 'nodenext', ...roots));
  for (const file of made) {
    if (shown.has(resolve(file))) copyToCommonJs(file);
    else rmSync(file);
  }
}

/** To TypeScript the types of an ES module are no types of what CommonJS requires. */
function copyToCommonJs(file: string): void {
  const copy = join('dist/commonjs', relative('dist', file));
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(file, copy);
}

/** The lines that it prints. @throws an Error with them when it finds something wrong */
function tsc(...args: string[]): string[] {
  const command = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
  const { status, stdout } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout);
  return stdout.split('\n');
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync('dist', { recursive: true, force: true });
await compile();
await compileCommonJs();
cpSync('local/cli/project', 'dist/local/cli/project', { recursive: true });
declareTypes();
