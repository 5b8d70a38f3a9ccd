import { App, Stack } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { JobProcessor } from 'remote-processor/cdk';

const stack = new Stack(new App(), 'my-jobs-prod');

new JobProcessor(stack, 'Jobs', {
  bundles: 'dist',
  secret: 'my-jobs/prod',
  alarmTopic: new Topic(stack, 'Alarms', { topicName: 'my-jobs-prod-alarms' }),
});
