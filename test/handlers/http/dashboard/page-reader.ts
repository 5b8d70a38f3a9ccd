/** A control of a form, as a browser would send it. */
export interface Control {
  readonly name: string;
  readonly value: string;
  /** Whether the page marks it as wrong. */
  readonly isWrong: boolean;
}

/** Returns the controls of a page, except buttons, and those at its end, which all pages have. */
export function controlsOf(page: string): Control[] {
  const tags = page
    .replace(/<footer>.*<\/footer>/s, '')
    .matchAll(/<(input|textarea|select)\b([^>]*)>(?:([\s\S]*?)<\/\1>)?/g);
  return [...tags].flatMap(([, kind = '', attributes = '', content = '']) => {
    const name = attribute(attributes, 'name');
    if (name === undefined) return [];
    const isWrong = attribute(attributes, 'aria-invalid') === 'true';
    return [{ name, value: heldBy(kind, attributes, content), isWrong }];
  });
}

/** Returns the text of a page without its markup. */
export function textOf(page: string): string {
  return decoded(page.replaceAll(/<[^>]*>/g, ' ')).replaceAll(/\s+/g, ' ');
}

function heldBy(kind: string, attributes: string, content: string): string {
  if (kind === 'textarea') return decoded(content);
  if (kind === 'input') return attribute(attributes, 'value') ?? '';
  const [, chosen = ''] = /<option([^>]*\bselected[^>]*)>/.exec(content) ?? [];
  return attribute(chosen, 'value') ?? '';
}

function attribute(attributes: string, name: string): string | undefined {
  const [, value] = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes) ?? [];
  return value === undefined ? undefined : decoded(value);
}

function decoded(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
