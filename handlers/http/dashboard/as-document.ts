import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { withVisibleMarks } from './visible-marks.js';

/** Returns a page with its doctype. Without one, browsers fall back to quirks mode. */
export function asDocument(page: HtmlEscapedString | Promise<HtmlEscapedString>) {
  return page instanceof Promise ? page.then(toDocument) : toDocument(page);
}

function toDocument(page: HtmlEscapedString) {
  return html`<!doctype html>${raw(withVisibleMarks(page.toString()))}`;
}
