/*
 * A plugin of the Serverless Framework: refuses, before anything is built, values of parameters by which a stack would be
 * deployed that does not work.
 */
export default class CheckParameters {
  constructor(serverless) {
    this.hooks = {
      'before:package:initialize': () => {
        const problem = problemOf(serverless.service.custom.checked);
        if (problem) throw new serverless.classes.Error(problem);
      },
    };
  }
}

/** A secret is read by its name, of which the permission to do so is made: an ARN has another form, with a suffix. */
export function problemOf({ secret, secretsAt }) {
  if (secretsAt !== 'start' || /^(?!arn:)[\w/+=.@-]{1,512}$/.test(secret)) return undefined;
  const example = 'remote-processor/prod';
  return `--param secret: expected the name of a secret such as ${example}, neither its ARN nor nothing, not '${secret}'. With --param secretsAt=deployment an ARN does, too.`;
}
