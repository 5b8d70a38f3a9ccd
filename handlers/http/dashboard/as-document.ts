import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** Returns a page with its doctype. Without one, browsers fall back to quirks mode. */
export function asDocument(page: HtmlEscapedString | Promise<HtmlEscapedString>) {
  return html`<!doctype html>${page}`;
}
