import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { z } from 'zod';
import { JobProcessor, type JobProcessorProps } from '../handlers/cdk/index.js';
import { type Resource, resourceSchema } from './package-functions.js';

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    resourceSchema.extend({ Metadata: z.object({ 'aws:cdk:path': z.string() }).optional() }),
  ),
});

/** Makes the construct in a stack. The folder has those of the bundles. */
export type MakeStack = (stack: Stack, folder: string) => JobProcessor;

/** Returns what makes the construct with these properties, which may need things of the stack. */
export function withProps(
  propsIn: (stack: Stack) => Partial<JobProcessorProps>,
  use: (jobs: JobProcessor, stack: Stack) => void = () => {},
): MakeStack {
  return (stack, bundles) => {
    const secret = 'remote-processor/dev';
    const jobs = new JobProcessor(stack, 'Jobs', { bundles, secret, ...propsIn(stack) });
    use(jobs, stack);
    return jobs;
  };
}

/**
 * Synthesizes each stack at once, and returns its resources. They have the names that they have in the construct, without
 * what CDK adds to them, and their texts have the form of other templates.
 */
export async function cdkResources(...stacks: readonly MakeStack[]): Promise<Resource[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'remote-processor-cdk-'));
  try {
    for (const entry of ['worker', 'scheduler', 'http', 'indexes'])
      await mkdir(join(folder, 'bundles', entry), { recursive: true });
    const app = new App({
      outdir: join(folder, 'out'),
      context: { 'aws:cdk:enable-path-metadata': true },
      analyticsReporting: false,
      builtinCloudFormationValidation: false, // It takes 5 CPU seconds.
    });
    for (const [index, make] of stacks.entries())
      make(new Stack(app, `Stack${index}`, { stackName: 'remote-processor-dev' }), join(folder, 'bundles'));
    const assembly = app.synth();
    return stacks.map((_, index) => resourcesOf(assembly.getStackArtifact(`Stack${index}`).template));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function resourcesOf(template: unknown): Resource[] {
  const { Resources: resources } = templateSchema.parse(template);
  const names = new Map(
    Object.entries(resources).map(([id, { Metadata: metadata }]) => [
      id,
      nameIn(metadata?.['aws:cdk:path'] ?? id),
    ]),
  );
  return Object.values(resources).map(({ Metadata: _, ...resource }) =>
    resourceSchema.parse(plain(resource, names)),
  );
}

/** `Stack0/Jobs/WorkerRole/Resource` is `WorkerRole`. */
function nameIn(path: string): string {
  return path
    .split('/')
    .slice(2)
    .filter((part) => part !== 'Resource')
    .join('/');
}

function plain(value: unknown, names: ReadonlyMap<string, string>): unknown {
  return JSON.parse(JSON.stringify(value), (_, each: unknown) => {
    if (typeof each === 'string') return names.get(each) ?? each;
    const joined = joinSchema.safeParse(each).data?.['Fn::Join'][1];
    if (joined)
      return {
        'Fn::Sub': joined.map((part) => (typeof part === 'string' ? part : `\${${part.Ref}}`)).join(''),
      };
    const sum = sumSchema.safeParse(each).data;
    return sum ? { ...sum, Id: sum.Label.split(' ')[0]?.toLowerCase() } : each;
  });
}

const joinSchema = z.strictObject({
  'Fn::Join': z.tuple([z.literal(''), z.array(z.union([z.string(), z.strictObject({ Ref: z.string() })]))]),
});

/** A sum of metrics, to which CDK gives a name of its own. */
const sumSchema = z.object({ Id: z.string(), Expression: z.string(), Label: z.string() });
