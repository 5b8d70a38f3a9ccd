import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/**
 * Makes the permissions of functions. ARNs are built from names, because references between resources would form a
 * circle.
 */
export class Permissions {
  readonly #stack: Stack;
  readonly #name: string;
  readonly #secret: string;
  readonly #isInVpc: boolean;

  /**
   * Keeps the names from which ARNs are built.
   * @param name the beginning of the names of the functions and the queue
   */
  constructor(stack: Stack, name: string, secret: string, isInVpc: boolean) {
    this.#stack = stack;
    this.#name = name;
    this.#secret = secret;
    this.#isInVpc = isInVpc;
  }

  /** Makes the role of a function. The function may write its log, read the secret, and do what the statements allow. */
  makeRole(scope: Construct, id: string, functionName: string, statements: readonly PolicyStatement[]): Role {
    const policy = new PolicyDocument({
      statements: [
        this.#mayLog(functionName),
        ...statements,
        this.#mayReadSecret(),
        ...(this.#isInVpc ? [mayUseVpc()] : []),
      ],
    });
    return new Role(scope, id, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: { [functionName]: policy },
    });
  }

  /** Lets a function wake the worker. */
  maySendWakeUps(): PolicyStatement {
    return this.#ofQueue('sqs:SendMessage');
  }

  mayReceiveWakeUps(): PolicyStatement {
    return this.#ofQueue('sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes');
  }

  #ofQueue(...actions: string[]): PolicyStatement {
    const queue = this.#stack.formatArn({ service: 'sqs', resource: `${this.#name}-wakeups` });
    return new PolicyStatement({ actions, resources: [queue] });
  }

  #mayLog(functionName: string): PolicyStatement {
    const log = this.#stack.formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: `/aws/lambda/${this.#name}-${functionName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [log] });
  }

  /** Secrets Manager ends the name in an ARN with a hyphen and six characters. */
  #mayReadSecret(): PolicyStatement {
    const secret = this.#stack.formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${this.#secret}-??????`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [secret] });
  }
}

/** Lets Lambda make network interfaces in a VPC, with the function's own role. Their ARNs are not known beforehand. */
function mayUseVpc(): PolicyStatement {
  const actions = [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ];
  return new PolicyStatement({ actions, resources: ['*'] });
}
