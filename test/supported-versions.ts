import { readFileSync } from 'node:fs';

const page = readFileSync(new URL('../docs/versions.md', import.meta.url), 'utf8');

/** Returns the versions in a row of the table of docs/versions.md. */
export function supportedVersions(name: string): readonly string[] {
  const row = page.split('\n').find((line) => line.startsWith(`| ${name} |`));
  if (row === undefined) throw new Error(`docs/versions.md has no row for ${name}.`);
  return row.split('|')[2]?.trim().split(', ') ?? [];
}
