/** Of the SQS client what a wake-up needs: imported dynamically as a whole, the package could not be tree-shaken. */
export { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
