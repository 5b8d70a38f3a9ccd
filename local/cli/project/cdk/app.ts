import { App, Stack } from 'aws-cdk-lib';
import { JobProcessor } from 'remote-processor/cdk';

const stack = new Stack(new App(), 'my-jobs-prod');

new JobProcessor(stack, 'Jobs', {
  bundles: 'dist',
  secret: 'my-jobs/prod',
});
