/**
 * What `npm run assets` runs: makes handlers/http/dashboard/generated-assets.ts of what stands in client/, which has to
 * be done whenever that was changed (a test tells). A browser gets files, and these are one module of texts: so they are
 * in every bundle, in the npm package, and in a run from source, with nothing to copy and no plugin to know of.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dashboard = new URL('../http/dashboard/', import.meta.url);

/** The text of the module. */
export async function generateAssets() {
  const assets = {
    script: await bundle('client/live.ts'),
    style: await bundle('client/style.css'),
    icon: await readFile(new URL('client/icon.svg', dashboard), 'utf8'),
  };
  const lines = Object.entries(assets).map(
    ([name, text]) => `export const ${name} = ${JSON.stringify(text)};`,
  );
  return `// Made by \`npm run assets\` of what stands in client/. Edit that.\n${lines.join('\n')}\n`;
}

async function bundle(path) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(path, dashboard))],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
  });
  return outputFiles[0].text;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await writeFile(new URL('generated-assets.ts', dashboard), await generateAssets());
