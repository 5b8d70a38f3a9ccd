import type { BuildOptions } from 'esbuild';

/** The name of our `require`. It is odd, because a bundle that declares the same name twice cannot be parsed. */
const REQUIRE = 'requireOfRemoteProcessor';
const URL_OF_FILE = 'urlOfRemoteProcessor';

/** Gives an ES module the `require` that packages in CommonJS expect. esbuild does not declare one. */
export const bannerOfEsm = `import { createRequire as ${REQUIRE} } from 'node:module'; const require = ${REQUIRE}(import.meta.url);`;

const bannerOfCommonJs = `const ${URL_OF_FILE} = require('node:url').pathToFileURL(__filename).href;`;

/** Sets the options that a bundle of this package needs, unless they are already set. */
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

/**
 * Adds a line to the banner, unless the banner already contains the sign.
 * @param sign text of a line that does the same, the user's own or that of an earlier build with the same options
 */
function addBanner(options: BuildOptions, line: string, sign: string): void {
  const { js = '' } = options.banner ?? {};
  if (!js.includes(sign)) options.banner = { ...options.banner, js: [js, line].filter(Boolean).join('\n') };
}
