/**
 * What `npm run assets` runs: makes handlers/http/dashboard/generated-assets.ts of what stands in client/, which has to
 * be done whenever that was changed (a test tells). A browser gets files, and these are one module of texts: so they are
 * in every bundle, in the npm package, and in a run from source, with nothing to copy and no plugin to know of.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dashboard = new URL('../http/dashboard/', import.meta.url);

/** What a page of the dashboard loads, as texts. */
export async function generateAssets(): Promise<Readonly<Record<'icon' | 'script' | 'style', string>>> {
  return {
    icon: await readFile(new URL('client/icon.svg', dashboard), 'utf8'),
    script: await bundle('client/live.ts'),
    style: await bundle('client/style.css'),
  };
}

async function bundle(path: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(path, dashboard))],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
  });
  return outputFiles.map(({ text }) => text).join('');
}

function toModule(assets: Readonly<Record<string, string>>): string {
  const lines = Object.entries(assets).map(
    ([name, text]) => `export const ${name} = ${JSON.stringify(text)};`,
  );
  return `// Made by \`npm run assets\` of what stands in client/. Edit that.\n${lines.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await writeFile(new URL('generated-assets.ts', dashboard), toModule(await generateAssets()));
