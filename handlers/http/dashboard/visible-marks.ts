/**
 * Matches control characters, except white space, and characters that change the direction of the text around them.
 * With the latter, a name could look like another name.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
const marks = /[\0-\x08\x0b\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const allMarks = new RegExp(marks, 'g');

/**
 * Makes such characters visible in the texts of a page, such as `\u202e`. Attributes and the text of a control stay as
 * they are, since browsers send them back.
 */
export function withVisibleMarks(page: string): string {
  if (!marks.test(page)) return page;
  // Values in attributes contain no `>`, because it is escaped there.
  return page.replace(/<textarea[^>]*>[^<]*|<[^>]*>|[^<]+/g, (part) =>
    part.startsWith('<') ? part : part.replace(allMarks, escaped),
  );
}

function escaped(mark: string): string {
  return `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
