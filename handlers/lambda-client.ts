/** The parts of the Lambda client that a kick needs. A dynamic import of the whole package could not be tree-shaken. */
export { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
