/**
 * Makes handlers/http/dashboard/generated-assets.ts from the files in client/. Run `npm run assets` after every change
 * there, or a test fails. The assets are strings in one module. So every bundle, the npm package and a run from source
 * have them, without copying files and without a plugin.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dashboard = new URL('../http/dashboard/', import.meta.url);

/** Returns the contents of the files that a page of the dashboard loads. */
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
