import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** A page with its doctype: without one browsers fall back to the rules of old. */
export function asDocument(page: HtmlEscapedString | Promise<HtmlEscapedString>) {
  return html`<!doctype html>${page}`;
}
