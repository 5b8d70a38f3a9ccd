import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Resource, resourceSchema } from './package-functions.js';

const samTemplate = new URL('../examples/sam/template.yaml', import.meta.url);

const templateSchema = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.union([z.string(), z.number()]).optional() })),
  Conditions: z.record(z.string(), z.unknown()),
  Globals: z.object({ Function: z.record(z.string(), z.unknown()) }),
  Resources: z.record(z.string(), resourceSchema),
});

const eventSchema = z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()) });
const functionSchema = z.looseObject({
  EventInvokeConfig: z.record(z.string(), z.unknown()).optional(),
  Events: z.record(z.string(), eventSchema).default({}),
});

/**
 * Returns the resources that a stack of the SAM template would have, in the form of plain CloudFormation. API Gateway is in the
 * form that other templates give it: a stage, and a route for each event.
 *
 * @param values of AWS::StackName, and of parameters that have no default
 */
export async function samResources(values: Readonly<Record<string, string>>): Promise<Resource[]> {
  const template = templateSchema.parse(await readTemplate());
  const defaults = Object.entries(template.Parameters).map(([name, { Default }]) => [name, Default]);
  const known = { ...Object.fromEntries(defaults), ...values };
  const evaluate = evaluator(known, template.Conditions);
  return Object.entries(template.Resources).flatMap(([id, resource]) => {
    const properties = propertiesSchema.parse(evaluate(resource.Properties));
    const globals = propertiesSchema.parse(evaluate(template.Globals.Function));
    switch (resource.Type) {
      case 'AWS::Serverless::Function':
        return ofFunction(id, { ...globals, ...properties });
      case 'AWS::Serverless::HttpApi':
        return [plain('AWS::ApiGatewayV2::Stage', properties)];
      default:
        return [plain(resource.Type, properties)];
    }
  });
}

const propertiesSchema = z.record(z.string(), z.unknown());

function ofFunction(id: string, given: Readonly<Record<string, unknown>>): Resource[] {
  const { EventInvokeConfig: asynchronous, Events: events, ...properties } = functionSchema.parse(given);
  return [
    plain('AWS::Lambda::Function', properties),
    ...(asynchronous
      ? [plain('AWS::Lambda::EventInvokeConfig', { FunctionName: { Ref: id }, ...asynchronous })]
      : []),
    ...Object.values(events).map((event) => ofEvent(id, event)),
  ];
}

function ofEvent(id: string, { Type: type, Properties: properties }: z.output<typeof eventSchema>): Resource {
  switch (type) {
    case 'Schedule': {
      const { Schedule: schedule, State: state, ...target } = properties;
      const targets = [{ Arn: { 'Fn::GetAtt': [id, 'Arn'] }, ...target }];
      return plain('AWS::Events::Rule', { ScheduleExpression: schedule, State: state, Targets: targets });
    }
    case 'SQS': {
      const { Queue: queue, ...mapping } = properties;
      return plain('AWS::Lambda::EventSourceMapping', {
        EventSourceArn: queue,
        FunctionName: { Ref: id },
        ...mapping,
      });
    }
    case 'HttpApi':
      return plain('AWS::ApiGatewayV2::Route', { RouteKey: `${properties.Method} ${properties.Path}` });
    default:
      throw new Error(`The template has an event of type ${type}, which this test does not know.`);
  }
}

function plain(type: string, properties: Readonly<Record<string, unknown>>): Resource {
  return { Type: type, Properties: { ...properties }, DependsOn: [] };
}

const buildSchema = z.object({
  Type: z.literal('AWS::Serverless::Function'),
  Metadata: z.object({
    BuildMethod: z.literal('esbuild'),
    BuildProperties: z.looseObject({ EntryPoints: z.tuple([z.string()]) }),
  }),
  Properties: z.object({ Handler: z.string() }),
});

/** How SAM builds a function. */
export interface SamBuild {
  readonly handler: string;
  readonly entryPoint: string;
  /** As SAM gives them to esbuild's command line, besides those that it always gives. */
  readonly options: readonly string[];
}

/** Returns how SAM builds each function of the template. */
export async function samBuilds(): Promise<SamBuild[]> {
  const { Resources: resources } = templateOfAnything.parse(await readTemplate());
  return Object.values(resources).flatMap((resource) => {
    const { data } = buildSchema.safeParse(resource);
    if (!data) return [];
    const { EntryPoints, ...options } = data.Metadata.BuildProperties;
    return { handler: data.Properties.Handler, entryPoint: EntryPoints[0], options: argumentsOf(options) };
  });
}

const templateOfAnything = z.object({ Resources: z.record(z.string(), z.unknown()) });

function argumentsOf(options: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const option = `-${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (typeof value === 'boolean') return value ? [option] : [];
    return Array.isArray(value) ? value.map((each) => `${option}:${each}`) : [`${option}=${value}`];
  });
}

async function readTemplate(): Promise<unknown> {
  return parse(await readFile(samTemplate, 'utf8'), { customTags });
}

const NO_VALUE = Symbol('AWS::NoValue');

/** Returns a function that evaluates what is known when a stack is made, and leaves references to resources. */
function evaluator(known: Readonly<Record<string, unknown>>, conditions: Readonly<Record<string, unknown>>) {
  const evaluate = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(evaluate).filter((each) => each !== NO_VALUE);
    if (typeof value !== 'object' || value === null) return value;
    const [[name = '', argument] = []] = Object.entries(value);
    return name === 'Ref' || name.startsWith('Fn::') ? call(name, argument) : evaluateMembers(value);
  };
  const evaluateMembers = (value: object) => {
    const members = Object.entries(value).map(([name, each]) => [name, evaluate(each)]);
    return Object.fromEntries(members.filter(([, each]) => each !== NO_VALUE));
  };
  const call = (name: string, argument: unknown): unknown => {
    switch (name) {
      case 'Ref':
        if (argument === 'AWS::NoValue') return NO_VALUE;
        return known[`${argument}`] ?? { Ref: argument };
      case 'Fn::Sub':
        return substitute(`${argument}`, known);
      case 'Fn::If': {
        const [condition, yes, no] = listSchema.parse(argument);
        return evaluate(evaluate(conditions[`${condition}`]) ? yes : no);
      }
      case 'Fn::Equals': {
        const [left, right] = listSchema.parse(evaluate(argument));
        return `${left}` === `${right}`;
      }
      case 'Fn::Not':
        return !listSchema.parse(evaluate(argument))[0];
      case 'Fn::Join':
        return listSchema.parse(evaluate(argument)).slice(1).join();
      default:
        return { [name]: evaluate(argument) };
    }
  };
  return evaluate;
}

const listSchema = z.array(z.unknown());

function substitute(text: string, known: Readonly<Record<string, unknown>>): unknown {
  const done = text.replaceAll(/\$\{([\w:]+)\}/g, (whole, name: string) => `${known[name] ?? whole}`);
  return done.includes('${') ? { 'Fn::Sub': done } : done;
}

/** The short forms of CloudFormation's functions. */
export const customTags = [
  { tag: '!Ref', resolve: (text: string) => ({ Ref: text }) },
  { tag: '!Sub', resolve: (text: string) => ({ 'Fn::Sub': text }) },
  { tag: '!GetAtt', resolve: (text: string) => ({ 'Fn::GetAtt': text.split('.') }) },
  ...['If', 'Not', 'Equals', 'Join'].map((name) => ({
    tag: `!${name}`,
    collection: 'seq' as const,
    resolve: (list: { toJSON(): unknown }) => ({ [`Fn::${name}`]: list.toJSON() }),
  })),
];
