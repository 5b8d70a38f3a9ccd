/** What docs/recipes/add-from-aws.md tells users to deploy. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createWorkerHandler } from '../../handlers/lambda.js';
import { defineJob } from '../../src/index.js';
import { useDatabase } from '../database.js';
import { customTags } from '../sam-template.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { contextOf } from './events.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

const page = await readFile(new URL('../../docs/recipes/add-from-aws.md', import.meta.url), 'utf8');

/** Returns the blocks of the page in this language. */
function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(
    ([, code = '']) => code,
  );
}

const transformerSchema = z.object({
  InputPathsMap: z.record(z.string(), z.string()),
  InputTemplate: z.string(),
});
const templateSchema = z.looseObject({
  resources: z.looseObject({
    Resources: z.looseObject({
      OrderPaid: z.looseObject({
        Properties: z.looseObject({
          Targets: z.tuple([z.looseObject({ InputTransformer: transformerSchema })]),
        }),
      }),
      JobsToAddPolicy: z.looseObject({ Properties: z.looseObject({ PolicyDocument: z.unknown() }) }),
    }),
  }),
});

/** The blocks of YAML, of which each goes on where the one before it ended. */
const template = templateSchema.parse(parse(blocks('yaml').join(''), { customTags: [...customTags] }));
const { Resources } = template.resources;

/** Does what EventBridge does with an event: values replace their placeholders as JSON. */
function transform({ InputPathsMap, InputTemplate }: z.output<typeof transformerSchema>, event: unknown) {
  return InputTemplate.replaceAll(/<(\w+)>/g, (_, name: string) => {
    const [, ...steps] = (InputPathsMap[name] ?? '').split('.');
    return JSON.stringify(steps.reduce((value, step) => Object(value)[step], event));
  });
}

test('every resource that the template refers to is in it', () => {
  const text = JSON.stringify(template);
  const names = [...text.matchAll(/\{"(?:Ref":"|Fn::GetAtt":\[")(\w+)/g)].map(([, name]) => name);
  expect(new Set(names)).toEqual(new Set(['JobsToAdd', 'JobsRefused', 'Shop', 'OrderPaid', 'Orders']));
  expect(Object.keys(Resources)).toEqual(expect.arrayContaining(names));
});

test('the queue lets the rule and the topic send, and nobody else', () => {
  const arnOf = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });
  const mayBeSent = (service: string, source: unknown) => ({
    Effect: 'Allow',
    Principal: { Service: service },
    Action: 'sqs:SendMessage',
    Resource: arnOf('JobsToAdd'),
    Condition: { ArnEquals: { 'aws:SourceArn': source } },
  });
  expect(Resources.JobsToAddPolicy.Properties.PolicyDocument).toEqual({
    Version: '2012-10-17',
    Statement: [
      mayBeSent('events.amazonaws.com', arnOf('OrderPaid')),
      mayBeSent('sns.amazonaws.com', { Ref: 'Orders' }),
    ],
  });
});

test('the message of the page, and what the rule makes of an event, become jobs', async () => {
  const input = z.strictObject({ order: z.string() });
  const ship = defineJob({ name: 'ship', input, run: () => {} });
  await database.processor().addJobFactory(ship);
  const [message = ''] = blocks('json');
  const [target] = Resources.OrderPaid.Properties.Targets;
  const event = {
    id: '6a7e8feb',
    source: 'shop',
    'detail-type': 'order.paid',
    detail: { order: 'a "b" 4711' },
  };
  const bodies = [message, transform(target.InputTransformer, event)];
  const Records = bodies.map((body, n) => ({ messageId: `m${n}`, eventSource: 'aws:sqs', body }));

  const handle = createWorkerHandler(deploymentOf(database, lambda(), [ship]));
  expect((await handle({ Records }, contextOf(60_000))).batchItemFailures).toEqual([]);

  expect(await database.processor().getJobs()).toMatchObject([
    { id: 'sqs-m0', jobName: 'ship', queue: 'orders', input: { order: '4711' } },
    { id: '6a7e8feb', jobName: 'ship', queue: 'default', input: { order: 'a "b" 4711' } },
  ]);
});

test('the statements for roles are JSON', () => {
  const statement = z.strictObject({
    Effect: z.literal('Allow'),
    Action: z.union([z.string(), z.array(z.string())]),
    Resource: z.string().startsWith('arn:aws:'),
  });
  const statements = blocks('json')
    .slice(1)
    .flatMap((text) => JSON.parse(text));
  expect(z.array(statement).parse(statements)).toHaveLength(4);
});
