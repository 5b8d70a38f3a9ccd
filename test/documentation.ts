import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { slug } from '../docs/.vitepress/slug.js';

/** The project's root. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** A page of the documentation. */
export interface Page {
  /** The path from the root, such as `docs/recipes/cron.md`. */
  readonly path: string;
  readonly text: string;
}

/** A block of TypeScript in a page. */
export interface Example {
  readonly page: string;
  /** The line of the page on which its code begins, from 0. */
  readonly line: number;
  /**
   * The path from the root of the examples. Begins with the page, so that the files of one page can import each other.
   */
  readonly file: string;
  readonly code: string;
  /** Whether it is marked `ts run`. */
  readonly runs: boolean;
}

/** Returns the pages of the root, and all below `docs` and `examples`, except those that `npm run docs` makes. */
export async function documentation(): Promise<Page[]> {
  const below = await Promise.all(['docs', 'examples'].map(pagesIn));
  const paths = ['CONTRIBUTING.md', 'README.md', 'SECURITY.md', ...below.flat()];
  return Promise.all(
    paths.toSorted().map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })),
  );
}

async function pagesIn(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const folders = entries.filter(
    (entry) => entry.isDirectory() && !['.vitepress', 'node_modules', 'reference'].includes(entry.name),
  );
  const below = await Promise.all(folders.map(({ name }) => pagesIn(join(folder, name))));
  const pages = entries.filter(({ name }) => name.endsWith('.md')).map(({ name }) => join(folder, name));
  return [...pages, ...below.flat()];
}

/**
 * Returns the blocks of a page that are marked `ts` or `ts run`. If the first line is a comment such as `// jobs.ts`,
 * the block is the file of that name, which other blocks of the page may import.
 */
export function examplesOf({ path, text }: Page): Example[] {
  return [...text.matchAll(/^( *)```ts( run)?\n(.*?)^\1```$/gms)].map((match, index) => {
    const [, , run, code = ''] = match;
    const [, name = `example-${index + 1}.ts`] = /^\/\/ (\S+\.ts)\n/.exec(code) ?? [];
    const line = text.slice(0, match.index).split('\n').length;
    return { page: path, line, file: join(path, name), code, runs: run !== undefined };
  });
}

/** A link of a page to something of this repository. */
export interface Link {
  readonly page: string;
  readonly target: string;
}

/** Returns the links of a page that lead to files and headings of this repository. */
export function linksOf({ path, text }: Page): Link[] {
  return [...withoutCode(text).matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, target = '']) => ({ page: path, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}

/** Returns the anchors of a page's headings, by GitHub's rule. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutBlocks(text).matchAll(/^#{1,6} +(.*)$/gm))
    anchors.add(firstFree(slug(heading), anchors));
  return anchors;
}

function firstFree(anchor: string, taken: ReadonlySet<string>): string {
  if (!taken.has(anchor)) return anchor;
  let count = 1;
  while (taken.has(`${anchor}-${count}`)) count += 1;
  return `${anchor}-${count}`;
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^( *)```.*?^\1```$/gms, '');
}

function withoutCode(text: string): string {
  return withoutBlocks(text).replaceAll(/`[^`\n]*`/g, '``');
}
