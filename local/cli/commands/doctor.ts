import type { AddCommand } from '../context.js';
import type { Finding } from '../doctor/finding.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import type { Paint, Style } from '../output/paint.js';
import { visible } from '../output/visible.js';

/** `doctor` checks a deployment, and says what is wrong. */
export const doctorCommand: AddCommand = (parent, { api, env, output, url }) => {
  parent
    .command('doctor')
    .description('Check settings, database, workers and scheduler, and say how to fix problems.')
    .addHelpText('after', examples('doctor', 'doctor --url https://jobs.example.com'))
    .action(async () => {
      const findings = await examine();
      const failures = findings.filter(({ status }) => status === 'failure').length;
      if (output.isJson) output.json({ ok: failures === 0, findings });
      else output.print(findings.map((finding) => describe(finding, output.paint)).join('\n'));
      if (failures > 0)
        throw new CommandFailure(exitCode.failed, `${failures} of ${findings.length} checks failed`, {
          code: 'unhealthy',
        });
    });

  async function examine(): Promise<readonly Finding[]> {
    if (url() === undefined) {
      const { examineDatabase } = await import('../doctor/examine-database.js');
      return examineDatabase(env, api);
    }
    const { examineDeployment } = await import('../doctor/examine-deployment.js');
    return examineDeployment(api);
  }
};

function describe({ check, status, detail, fix }: Finding, paint: Paint): string {
  const line = `${paint(styles[status], status.padEnd(WIDTH))}${paint('bold', check)}: ${visible(detail)}`;
  return fix === null ? line : `${line}\n${' '.repeat(WIDTH)}${paint('dim', visible(fix))}`;
}

const styles: Readonly<Record<Finding['status'], Style>> = { ok: 'green', warning: 'yellow', failure: 'red' };

const WIDTH = 'failure  '.length;
