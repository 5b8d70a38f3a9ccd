/**
 * The entry point `remote-processor/cdk`, with a construct for AWS CDK. It needs the packages `aws-cdk-lib` and `constructs`.
 *
 * @example
 * new JobProcessor(stack, 'Jobs', { bundles: 'dist', secret: 'remote-processor/prod' });
 *
 * @module remote-processor/cdk
 */
import '../../src/require-zod.js';

export type { AlarmThresholds } from './alarms.js';
export { JobProcessor } from './job-processor.js';
export type { HttpApiProps, JobProcessorProps } from './props.js';
