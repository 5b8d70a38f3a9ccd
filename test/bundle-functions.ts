import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { z } from 'zod';

const projectRoot = fileURLToPath(new URL('..', import.meta.url));
const serverless = createRequire(import.meta.url).resolve('serverless/bin/serverless.js');

/** The settings of serverless-esbuild in serverless.yml. A new setting must be passed on here. */
const settingsSchema = z.strictObject({
  bundle: z.literal(true),
  splitting: z.boolean(),
  format: z.literal('esm'),
  target: z.string(),
  minify: z.boolean(),
  legalComments: z.literal('none'),
  exclude: z.array(z.string()),
  outputFileExtension: z.string(),
  plugins: z.string(),
  outputWorkFolder: z.string(),
  skipRebuild: z.boolean(),
});
const pluginsSchema = z.array(z.custom<Plugin>((value) => typeof value === 'object'));

/** Returns the bundling settings of serverless.yml as options of esbuild. */
export async function bundling(): Promise<BuildOptions> {
  const args = [serverless, 'print', '--path', 'custom.esbuild', '--format', 'json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: projectRoot });
  const settings = settingsSchema.parse(JSON.parse(stdout));
  const {
    exclude,
    outputFileExtension,
    plugins,
    outputWorkFolder: _,
    skipRebuild: __,
    ...options
  } = settings;
  const { default: made } = await import(pathToFileURL(join(projectRoot, plugins)).href);
  return {
    ...options,
    external: exclude,
    outExtension: { '.js': outputFileExtension },
    plugins: pluginsSchema.parse(made),
    absWorkingDir: projectRoot,
  };
}

/**
 * Bundles one function into a folder, and returns esbuild's metafile. @param entry its file, from the project's root
 */
export async function bundleFunction(
  options: BuildOptions,
  entry: string,
  folder: string,
): Promise<Metafile> {
  const { metafile } = await build({ ...options, entryPoints: [entry], outdir: folder, metafile: true });
  return metafile;
}

/** The bytes of a bundle by their origin: a package such as `zod`, or a file such as `src/processor.ts`. */
export interface Contents {
  /** The bytes in files that are read when the function starts. */
  readonly atStart: Readonly<Record<string, number>>;
  /** The bytes in all files. */
  readonly inAll: Readonly<Record<string, number>>;
}

/** Returns the contents of a bundle. @param entry the file of the function, from the project's root */
export function contentsOf({ outputs }: Metafile, entry: string): Contents {
  const files = Object.keys(outputs);
  const started = new Set(files.filter((file) => outputs[file]?.entryPoint === entry));
  for (const file of started) {
    for (const { kind, path, external } of outputs[file]?.imports ?? [])
      if (kind === 'import-statement' && !external) started.add(path);
  }
  return { atStart: bytesBySource(outputs, [...started]), inAll: bytesBySource(outputs, files) };
}

function bytesBySource(outputs: Metafile['outputs'], files: readonly string[]): Record<string, number> {
  const bytes: Record<string, number> = {};
  for (const file of files) {
    for (const [input, { bytesInOutput }] of Object.entries(outputs[file]?.inputs ?? {})) {
      const source = sourceOf(input);
      bytes[source] = (bytes[source] ?? 0) + bytesInOutput;
    }
  }
  return bytes;
}

function sourceOf(input: string): string {
  const [own = '', inPackage] = input.split(/(?:^|\/)node_modules\/(?!.*\/node_modules\/)/);
  return inPackage === undefined ? own : (/^(?:@[^/]+\/)?[^/]+/.exec(inPackage)?.[0] ?? inPackage);
}
