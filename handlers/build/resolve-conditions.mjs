/*
 * A plugin for the Serverless Framework. Resolves the conditions in the template before it is deployed, since the
 * values of parameters are known by then. CloudFormation and cfn-lint would also check the branch of an `!If` that is
 * not taken. An empty value is invalid there.
 */
export default class ResolveConditions {
  constructor(serverless) {
    this.hooks = {
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        const { provider } = serverless.service;
        provider.compiledCloudFormationTemplate = resolveConditions(provider.compiledCloudFormationTemplate);
      },
    };
  }
}

const DROPPED = Symbol('AWS::NoValue');

/** Returns the template without conditions, `Fn::If`, `AWS::NoValue`, and resources whose condition does not hold. */
export function resolveConditions({ Conditions = {}, ...template }) {
  const holds = (name) => {
    if (!(name in Conditions)) throw new Error(`The template has no condition ${name}.`);
    return evaluate(Conditions[name], holds);
  };
  return {
    ...resolve(template, holds),
    Resources: resolve(dropOthers(template.Resources, holds), holds),
    ...(template.Outputs && { Outputs: resolve(dropOthers(template.Outputs, holds), holds) }),
  };
}

/**
 * Returns whether a condition of the template holds.
 * @param holds returns whether the condition with a given name holds
 */
function evaluate(condition, holds) {
  const [[kind, given]] = Object.entries(condition);
  switch (kind) {
    case 'Fn::Equals':
      return String(given[0]) === String(given[1]);
    case 'Fn::Not':
      return !evaluate(given[0], holds);
    case 'Fn::And':
      return given.every((each) => evaluate(each, holds));
    case 'Fn::Or':
      return given.some((each) => evaluate(each, holds));
    case 'Condition':
      return holds(given);
    default:
      throw new Error(`A condition may compare parameters, not use ${kind}.`);
  }
}

function dropOthers(members, holds) {
  const kept = Object.entries(members).filter(([, { Condition }]) => !Condition || holds(Condition));
  return Object.fromEntries(kept.map(([id, { Condition, ...member }]) => [id, member]));
}

function resolve(value, holds) {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return value.map((each) => resolve(each, holds)).filter((each) => each !== DROPPED);
  if (value.Ref === 'AWS::NoValue') return DROPPED;
  if (value['Fn::If']) {
    const [name, yes, no] = value['Fn::If'];
    return resolve(holds(name) ? yes : no, holds);
  }
  const members = Object.entries(value).map(([key, each]) => [key, resolve(each, holds)]);
  return Object.fromEntries(members.filter(([, each]) => each !== DROPPED));
}
