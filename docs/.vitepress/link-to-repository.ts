import { posix } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';

const REPOSITORY = 'https://github.com/remote-processor/remote-processor/blob/main/';

/** Links that leave `docs/` lead to the repository: its files are not part of the site. */
export function linkToRepository(md: MarkdownRenderer): void {
  md.core.ruler.push('link-to-repository', ({ tokens, env }) => {
    const links = tokens.flatMap(({ children }) => children ?? []).filter(({ type }) => type === 'link_open');
    for (const link of links) {
      const target = posix.join('docs', posix.dirname(env.relativePath), String(link.attrGet('href')));
      const isRelative = /^\.\.?\//.test(String(link.attrGet('href')));
      if (isRelative && !target.startsWith('docs/')) link.attrSet('href', REPOSITORY + target);
    }
  });
}
