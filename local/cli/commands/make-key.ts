import { Argument } from '@commander-js/extra-typings';
import { roles } from '../../../src/access/role.js';
import { apiKeyIdSchema } from '../../../src/config.js';
import { validateNow } from '../../../src/validate.js';
import { entryOf, makeKey } from '../../api-key.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { fields } from '../output/fields.js';

/** `make-key` makes an API key and its entry for API_KEYS. It contacts no server and stores nothing. */
export const makeKeyCommand: AddCommand = (parent, { output }) => {
  parent
    .command('make-key')
    .description('Make an API key, and its entry for API_KEYS. The key is shown only once.')
    .argument('<id>', 'names the key in logs: letters, digits, and _ . -')
    .addArgument(new Argument('<role>', 'what its holder may do').choices(roles))
    .addHelpText('after', examples('make-key backend write', 'make-key backend write --json | jq -r .entry'))
    .action((id, role) => {
      const key = makeKey();
      const entry = entryOf(key, validateNow(apiKeyIdSchema, id, 'The id'), role);
      if (output.isJson) return output.json({ key, entry });
      output.print(
        fields(
          [
            ['key', key],
            ['entry', entry],
          ],
          output.paint,
        ),
      );
      output.note('Give the key to its user, and add the entry to API_KEYS.');
    });
};
