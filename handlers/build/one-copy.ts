import type { PluginBuild } from 'esbuild';

/**
 * Makes `require` load the ES modules of this package, as `import` does. Otherwise a bundle could contain the package
 * twice.
 */
export function takeOneCopy(build: PluginBuild): void {
  build.onResolve({ filter: /^remote-processor(\/|$)/ }, ({ path, kind, importer, resolveDir }) =>
    kind === 'require-call'
      ? build.resolve(path, { kind: 'import-statement', importer, resolveDir })
      : undefined,
  );
}
