import type { PluginBuild } from 'esbuild';

/** Packages that find credentials elsewhere than in a function's environment, or name the browser. */
const UNNEEDED =
  /^(?:@aws-sdk\/credential-provider-(?:http|ini|process|sso|web-identity)|@smithy\/credential-provider-imds|bowser)$/;

/** Matches the files that import them. An import of a user's own stays. */
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
 * Replaces `whatwg-url`, with which the MongoDB driver parses connection strings. Node's own URL follows the same
 * standard, which saves 90 KB of tables.
 */
function replaceUrl(build: PluginBuild): void {
  build.onResolve({ filter: /^whatwg-url$/ }, ({ path, importer }) =>
    URL_READER.test(importer) ? { path, namespace: 'node-url' } : undefined,
  );
  build.onLoad({ filter: /^/, namespace: 'node-url' }, () => ({
    contents: 'export const { URL, URLSearchParams } = globalThis;',
  }));
}
