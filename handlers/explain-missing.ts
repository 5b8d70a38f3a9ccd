/**
 * What a dynamic import of an optional package is caught with: its error then tells how to install it.
 *
 * @example await import('./lambda-client.js').catch(explainMissing('@aws-sdk/client-lambda'))
 */
export function explainMissing(name: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new Error(`The package ${name} is not installed. Do: npm i ${name}`, { cause: error });
  };
}
