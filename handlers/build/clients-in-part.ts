import type { PluginBuild } from 'esbuild';

/** The exports of each client that `handlers/` uses. */
const parts = new Map([
  ['@aws-sdk/client-lambda', ['InvokeCommand', 'LambdaClient']],
  ['@aws-sdk/client-secrets-manager', ['GetSecretValueCommand', 'SecretsManagerClient']],
  ['@aws-sdk/client-sqs', ['SendMessageBatchCommand', 'SQSClient']],
]);

/** Matches the files that import the clients, wherever this package is installed. */
const IMPORTER = /[\\/]handlers[\\/](?:worker-starters|secret)\.[jt]s$/;

/**
 * Makes dynamic imports of the AWS SDK include only the used exports. Otherwise esbuild puts the whole package into the
 * bundle.
 *
 * Modules of our own that export only those would not help. A bundle without splitting that leaves the SDK out would
 * then import the SDK at its start.
 */
export function takeClientsInPart(build: PluginBuild): void {
  build.onResolve({ filter: /^@aws-sdk\/client-/ }, async ({ path, kind, importer, resolveDir }) => {
    if (kind !== 'dynamic-import' || !parts.has(path) || !IMPORTER.test(importer)) return undefined;
    const whole = await build.resolve(path, { kind: 'import-statement', importer, resolveDir });
    if (whole.external || whole.errors.length > 0) return undefined;
    return { path, namespace: 'part', pluginData: resolveDir };
  });
  build.onLoad({ filter: /^/, namespace: 'part' }, ({ path, pluginData }) => ({
    contents: `export { ${parts.get(path)?.join(', ')} } from '${path}';`,
    resolveDir: `${pluginData}`,
  }));
}
