/** The parts of the SQS client that a wake-up needs. A dynamic import of the whole package could not be tree-shaken. */
export { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
