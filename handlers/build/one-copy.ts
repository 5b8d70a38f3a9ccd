import type { PluginBuild } from 'esbuild';

/**
 * Has `require` take the ES modules of this package, as `import` does. A bundle with both forms would have the package
 * twice.
 */
export function takeOneCopy(build: PluginBuild): void {
  build.onResolve({ filter: /^remote-processor(\/|$)/ }, ({ path, kind, importer, resolveDir }) =>
    kind === 'require-call'
      ? build.resolve(path, { kind: 'import-statement', importer, resolveDir })
      : undefined,
  );
}
