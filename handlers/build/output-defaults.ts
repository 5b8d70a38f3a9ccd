import type { BuildOptions } from 'esbuild';

/** An odd name, because a bundle with another declaration of the same name could not be parsed. */
const REQUIRE = 'requireOfRemoteProcessor';
const URL_OF_FILE = 'urlOfRemoteProcessor';

/** Gives an ES module the `require` that packages in CommonJS expect. esbuild itself never declares this name. */
export const bannerOfEsm = `import { createRequire as ${REQUIRE} } from 'node:module'; const require = ${REQUIRE}(import.meta.url);`;

const bannerOfCommonJs = `const ${URL_OF_FILE} = require('node:url').pathToFileURL(__filename).href;`;

/** Changes what a bundle of this package needs, except what is already set. */
export function setDefaults(options: BuildOptions): void {
  options.platform ??= 'node';
  options.mainFields ??= ['module', 'main'];
  options.keepNames ??= true;
  if (options.format === 'esm') {
    addBanner(options, bannerOfEsm, 'const require =');
  } else {
    options.define = { 'import.meta.url': URL_OF_FILE, ...options.define };
    addBanner(options, bannerOfCommonJs, bannerOfCommonJs);
  }
}

/** @param sign of a banner that does without: a user's own, or of an earlier build with the same options */
function addBanner(options: BuildOptions, line: string, sign: string): void {
  const { js = '' } = options.banner ?? {};
  if (!js.includes(sign)) options.banner = { ...options.banner, js: [js, line].filter(Boolean).join('\n') };
}
