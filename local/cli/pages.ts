import type * as z from 'zod';
import type { Api } from './api/api.js';
import { type Output, read } from './output/output.js';
import { type Column, table } from './output/table.js';
import { parseWholeNumber } from './parse-whole-number.js';

/** The paging options of a command. */
export interface PageOptions {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly all?: true | undefined;
}

/** The paging options of commands that list, used as `command.option(...limitOption)`. */
export const limitOption = [
  '--limit <number>',
  'entries per page, 1 to 1000; default: 100',
  parseWholeNumber,
] as const;
export const cursorOption = ['--cursor <cursor>', 'of the next page, shown by the previous page'] as const;
export const allOption = ['--all', 'all pages; with --json one item per line'] as const;

/** A paged list. */
export interface Listing<Page extends { readonly cursor: string | null }, Row> {
  readonly path: string;
  /** Further query parameters. Undefined ones are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly shape: z.ZodType<Page>;
  readonly rows: (page: Page) => readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** The text for an empty list. Default: the table without rows. */
  readonly none?: string;
}

/** Yields the pages of a list, beginning at a cursor. @throws CommandFailure */
export async function* pagesOf<Page extends { readonly cursor: string | null }>(
  api: Api,
  { path, query = {}, shape }: Pick<Listing<Page, never>, 'path' | 'query' | 'shape'>,
  { limit, cursor }: Pick<PageOptions, 'limit' | 'cursor'> = {},
): AsyncGenerator<{ readonly page: Page; readonly answer: unknown }> {
  for (let next: string | null | undefined = cursor; next !== null; ) {
    const answer = await api.get(path, { ...query, limit, cursor: next });
    const page = read(answer, shape);
    yield { page, answer };
    next = page.cursor;
  }
}

/** Shows a page of a list, or all pages. @throws CommandFailure */
export async function showPages<Page extends { readonly cursor: string | null }, Row>(
  { api, output }: { readonly api: Api; readonly output: Output },
  listing: Listing<Page, Row>,
  { all, ...options }: PageOptions,
): Promise<void> {
  const { shape, rows, columns, none } = listing;
  let isFirst = true;
  for await (const { page, answer } of pagesOf(api, listing, options)) {
    const isNone = isFirst && rows(page).length === 0 && page.cursor === null;
    const render = (shown: Page) => (isNone && none) || table(columns, rows(shown), output);
    if (!all) {
      output.result(answer, shape, render);
      if (page.cursor !== null && !output.isJson) output.note(`There are more: --cursor ${page.cursor}`);
      return;
    }
    if (output.isJson) for (const row of rows(page)) output.jsonLine(row);
    else if (rows(page).length > 0 || isFirst) output.print(render(page));
    isFirst = false;
  }
}
