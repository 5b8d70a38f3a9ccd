/**
 * Returns a `catch` function for the dynamic import of an optional package. Its error tells how to install the package.
 *
 * @example await import('./lambda-client.js').catch(explainMissing('@aws-sdk/client-lambda'))
 */
export function explainMissing(name: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new Error(`The package ${name} is not installed. Do: npm i ${name}`, { cause: error });
  };
}
