/**
 * A project may hold several copies of a package, and of this one: an object of a class of one copy is no instance of that of
 * another. So `instanceof` asks only for what there is one of.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Of the language or of Node.js, where a value of another realm is not to be expected, or would do no harm. */
const builtIns = ['Date', 'Error', 'Promise', 'RegExp', 'Uint8Array'];

/** Where else it may stand, and for what: only objects that the very same copy made come there. */
const ofOneCopy: readonly (readonly [file: RegExp, name: RegExp])[] = [
  // The browser's, of its one document.
  [/^handlers\/http\/dashboard\/client\//, /^(HTML\w+|Element)$/],
  // The embedded server reads all values from the wire itself, and nobody else calls its mingo.
  [
    /^local\/mongo\//,
    /^(Binary|BSONRegExp|BSONSymbol|Code|DBRef|Decimal128|Double|Int32|Long|MaxKey|MingoError|MinKey|ObjectId|Timestamp)$/,
  ],
  // The schemas of our own routes.
  [/^handlers\/http\/(query\.ts|openapi\/)/, /^z\./],
];

async function sources() {
  const folders = await Promise.all(
    ['src', 'handlers', 'local'].map(async (folder) =>
      (await readdir(join(root, folder), { recursive: true })).map((file) => join(folder, file)),
    ),
  );
  const files = folders.flat().filter((file) => /\.tsx?$/.test(file) && !file.includes('generated'));
  return Promise.all(files.map(async (file) => ({ file, text: await readFile(join(root, file), 'utf8') })));
}

test('no class of another package, and none of ours that is branded, is asked for by instanceof', async () => {
  const all = await sources();
  const declared = all.flatMap(({ file, text }) =>
    file === 'src/errors.ts' ? [] : [...text.matchAll(/^(?:export )?class (\w+)/gm)].map(([, name]) => name),
  );
  const allowed = new Set([...builtIns, ...declared]);
  const asked = all.flatMap(({ file, text }) =>
    [...withoutComments(text).matchAll(/ instanceof ([\w.]+)/g)].map(([, name = '']) => ({ file, name })),
  );
  expect(asked.length).toBeGreaterThan(50);
  const wrong = asked.filter(({ file, name }) => !allowed.has(name) && !isOfOneCopy(file, name));
  expect(wrong).toEqual([]);
});

function isOfOneCopy(file: string, name: string): boolean {
  return ofOneCopy.some(([files, names]) => files.test(file) && names.test(name));
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*.*?\*\//gs, '').replaceAll(/\/\/ .*/g, '');
}
