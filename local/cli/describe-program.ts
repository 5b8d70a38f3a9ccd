import { RootCommand } from '@bomb.sh/tab';
import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';

/** Describes the program for shell completion: its commands, their options, and the values of the options. */
export function describeProgram(program: CommandUnknownOpts): RootCommand {
  const root = new RootCommand();
  describe(program.commands, []);
  for (const option of program.options) addOption(root, option);
  return root;

  function describe(commands: readonly CommandUnknownOpts[], group: readonly string[]): void {
    for (const command of commands) {
      if (command.name() === HIDDEN) continue;
      const names = [...group, command.name()];
      const described = root.command(names.join(' '), command.description());
      for (const option of [...command.options, ...program.options]) addOption(described, option);
      for (const argument of command.registeredArguments)
        described.argument(argument.name(), offer(argument.argChoices), argument.variadic);
      describe(command.commands, names);
    }
  }
}

/** The command that the shell itself calls. */
const HIDDEN = 'complete';

function addOption(
  command: Pick<RootCommand, 'option'>,
  { long, description, argChoices, required }: Option,
): void {
  const name = long?.replace(/^--/, '');
  if (name === undefined) return;
  if (required) command.option(name, description, offer(argChoices));
  else command.option(name, description);
}

function offer(values: readonly string[] = []) {
  return (complete: (value: string, description: string) => void) => {
    for (const value of values) complete(value, '');
  };
}
