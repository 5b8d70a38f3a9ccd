import { Argument } from '@commander-js/extra-typings';
import type { AddCommand } from '../context.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';

const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;

const help = `
Examples:
  $ remote-processor completion bash >> ~/.bashrc
  $ source <(remote-processor completion zsh)
  $ remote-processor completion fish > ~/.config/fish/completions/remote-processor.fish`;

/** `completion` prints the completion script of a shell, and answers the queries of that script. */
export const completionCommand: AddCommand = (parent, { output }) => {
  parent
    .command('completion')
    .description('Print a script that completes commands, options and their values in a shell.')
    .addArgument(new Argument('<shell>', 'that reads it').choices(shells))
    .addHelpText('after', help)
    .action(async (shell) => {
      if (output.isJson)
        throw new CommandFailure(exitCode.usage, 'The script for a shell is not JSON', {
          code: 'wrong_usage',
        });
      const { script } = await import('@bomb.sh/tab');
      script(shell, parent.name(), parent.name());
    });
  parent
    .command('complete', { hidden: true })
    .description('What the script asks at each press of the key: the words so far, after --.')
    .argument('[words...]')
    .action(async (words) => {
      const { describeProgram } = await import('../describe-program.js');
      describeProgram(parent).parse(words);
    });
};
