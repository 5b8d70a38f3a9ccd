/*
 * A dynamic import brings a whole package into the bundle, for esbuild drops nothing of it. This plugin has those of the AWS
 * SDK bring only what is used.
 *
 * Why not modules of ours that say which: a bundle without splitting, and without the SDK, would import it as it starts.
 */

/** What `handlers/` takes of each client. */
const parts = {
  '@aws-sdk/client-lambda': ['InvokeCommand', 'LambdaClient'],
  '@aws-sdk/client-secrets-manager': ['GetSecretValueCommand', 'SecretsManagerClient'],
  '@aws-sdk/client-sqs': ['SendMessageBatchCommand', 'SQSClient'],
};

/** The files that import them, wherever this package is. */
const IMPORTER = /[\\/]handlers[\\/](?:worker-starters|secret)\.[jt]s$/;

/** @type {import('esbuild').Plugin} */
export const clientsInPart = {
  name: 'clients-in-part',
  setup(build) {
    build.onResolve({ filter: /^@aws-sdk\/client-/ }, async ({ path, kind, importer, resolveDir }) => {
      if (kind !== 'dynamic-import' || !(path in parts) || !IMPORTER.test(importer)) return undefined;
      const whole = await build.resolve(path, { kind: 'import-statement', importer, resolveDir });
      if (whole.external || whole.errors.length > 0) return undefined;
      return { path, namespace: 'part', pluginData: { resolveDir } };
    });
    build.onLoad({ filter: /^/, namespace: 'part' }, ({ path, pluginData: { resolveDir } }) => ({
      contents: `export { ${parts[path].join(', ')} } from '${path}';`,
      resolveDir,
    }));
  },
};
