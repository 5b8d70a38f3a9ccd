import { Option } from '@commander-js/extra-typings';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { deploymentTools, writeProject } from '../init/write-project.js';
import { shellWord } from '../output/shell-word.js';

/** `init` writes a new project. It contacts no server. */
export const initCommand: AddCommand = (parent, { output }) => {
  parent
    .command('init')
    .description('Write a new project in TypeScript: a job, a schedule, a test, and its deployment.')
    .argument(
      '[folder]',
      'a new or empty folder for the project, whose name becomes that of the project',
      '.',
    )
    .addOption(
      new Option('--with <tool>', 'the tool that deploys the project')
        .choices(deploymentTools)
        .default('serverless' as const),
    )
    .addHelpText('after', examples('init shop-jobs', 'init shop-jobs --with cdk'))
    .action(async (folder, { with: tool }) => {
      const files = await writeProject(folder, tool);
      if (output.isJson) return output.json({ folder, files });
      output.print(files.join('\n'));
      const enter = folder === '.' ? '' : `cd ${shellWord(folder)} && `;
      output.note(`Next: ${enter}npm install && npm test && npm start`);
    });
};
