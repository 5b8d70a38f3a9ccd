/**
 * Returns a `catch` function for the dynamic import of an optional package. It throws an error that says how to install
 * the package.
 *
 * @example await import('@aws-sdk/client-lambda').catch(explainMissing('@aws-sdk/client-lambda'))
 */
export function explainMissing(name: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && isMissing(error.code))) throw error;
    throw new Error(`The package ${name} is not installed. Do: npm i ${name}`, { cause: error });
  };
}

/** Checks for the codes of `import()` and of `require`, which replaces it in a CommonJS bundle. */
function isMissing(code: unknown): boolean {
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
