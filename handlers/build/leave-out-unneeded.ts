import type { PluginBuild } from 'esbuild';

/**
 * Packages that a function never needs. They find credentials outside of its environment, or tell the browser's name.
 */
const UNNEEDED =
  /^(?:@aws-sdk\/credential-provider-(?:http|ini|process|sso|web-identity)|@smithy\/credential-provider-imds|bowser)$/;

/** Matches the files of the AWS SDK that import these packages. Imports in a user's own files stay. */
const IMPORTER = /[\\/]node_modules[\\/]@(?:aws-sdk|smithy)[\\/]/;

/** Matches the files that parse connection strings. */
const URL_READER = /[\\/]node_modules[\\/]mongodb-connection-string-url[\\/]/;

/** Leaves out packages that a function on Lambda never loads. */
export function leaveOutUnneeded(build: PluginBuild): void {
  build.onResolve({ filter: UNNEEDED }, ({ path, kind, importer }) =>
    kind === 'dynamic-import' && IMPORTER.test(importer) ? { path, external: true } : undefined,
  );
  replaceUrl(build);
}

/**
 * Replaces `whatwg-url` by Node's own URL, which follows the same standard. The MongoDB driver parses connection
 * strings with it. This saves 90 KB of tables.
 */
function replaceUrl(build: PluginBuild): void {
  build.onResolve({ filter: /^whatwg-url$/ }, ({ path, importer }) =>
    URL_READER.test(importer) ? { path, namespace: 'node-url' } : undefined,
  );
  build.onLoad({ filter: /^/, namespace: 'node-url' }, () => ({
    contents: 'export const { URL, URLSearchParams } = globalThis;',
  }));
}
