/** Of the Lambda client what a kick needs: imported dynamically as a whole, the package could not be tree-shaken. */
export { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
