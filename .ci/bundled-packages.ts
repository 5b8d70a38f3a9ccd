import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import * as z from 'zod';

const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  repository: z.union([z.string(), z.object({ url: z.string() }).transform(({ url }) => url)]).optional(),
});

/** A package of which something is in ours. */
export type BundledPackage = z.output<typeof manifestSchema> & { readonly folder: string };

/** The packages from which any byte of a build comes. */
export function findBundled({ outputs }: Metafile): BundledPackage[] {
  const sources = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const used = sources.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => folderOf(file));
  const folders = [...new Set(used)].filter((folder) => folder !== undefined).toSorted();
  return folders.map((folder) => ({ ...readManifest(folder), folder }));
}

/** The text that has to come with them. */
export function licencesOf(packages: readonly BundledPackage[]): string {
  const intro = 'Parts of these packages are in this one. Each is under its own licence.';
  return [intro, ...packages.map(licenceOf)].join(`\n\n${'-'.repeat(80)}\n\n`);
}

function licenceOf({ name, version, license, repository, folder }: BundledPackage): string {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return [`${name} ${version} (${license})`, repository, ...texts].filter(Boolean).join('\n\n');
}

function folderOf(file: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

function readManifest(folder: string): z.output<typeof manifestSchema> {
  return manifestSchema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
}
