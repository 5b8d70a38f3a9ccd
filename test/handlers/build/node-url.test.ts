import { build, type Plugin } from 'esbuild';
import { expect, test } from 'vitest';
import { remoteProcessor } from '../../../handlers/build/esbuild.js';

/** What the driver makes of connection strings, good and bad. */
const script = `
  import { ConnectionString } from 'mongodb-connection-string-url';
  const read = (text) => {
    try {
      const { hosts, username, password, pathname, searchParams, isSRV, href } = new ConnectionString(text);
      return { hosts, username, password, pathname, options: [...searchParams], isSRV, href };
    } catch (error) {
      return { error: error.message };
    }
  };
  export default ${JSON.stringify([
    'mongodb://localhost',
    'mongodb://a:1,b:2,c/db?replicaSet=rs0&w=majority',
    'mongodb+srv://user:p%40ss@cluster0.abc.mongodb.net/app?retryWrites=true',
    'mongodb://u:p@[::1]:27017/?tls=true',
    'mongodb://%2Ftmp%2Fmongodb-27017.sock/db',
    'mongodb://us%C3%A9r:p%23@h/',
    'mongodb://HOST.Example.COM/Db?appName=a%20b+c&READPREFERENCE=secondary',
    'mongodb://h/?readPreferenceTags=a:1,b:2&readPreferenceTags=',
    'mongodb://key:sec%2Fret@h/?authSource=$external&authMechanism=MONGODB-AWS',
    'mongodb://b\u00fccher.example/',
    'mongodb://user:pa ss@h/',
    'mongodb://a:b:c@h',
    'mongodb+srv://a,b/',
    'mongodb://h/?x=%E0%A4%A',
    'mongodb://',
    'http://x',
  ])}.map(read);`;

test('the driver reads connection strings with the URL of Node as with whatwg-url', async () => {
  const own = await readWith([]);
  expect(own).toHaveLength(16);
  expect(await readWith([remoteProcessor()])).toEqual(own);
});

async function readWith(plugins: Plugin[]): Promise<unknown> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: script, resolveDir: process.cwd() },
    plugins,
    metafile: true,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('file:///');" },
  });
  const [file] = outputFiles;
  expect(Object.keys(metafile.inputs).some((input) => input.includes('/whatwg-url/'))).toBe(
    plugins.length === 0,
  );
  const { default: result } = await import(`data:text/javascript,${encodeURIComponent(file?.text ?? '')}`);
  return result;
}
