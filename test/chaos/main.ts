import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { EJSON } from 'bson';
import { formatCounts } from './counts.js';
import { runChaos } from './run-chaos.js';

const help = `npm run chaos -- [--seconds 600] [--seed n] [--quiet]

Runs workers, schedulers and a producer in processes of their own on one database, the embedded one or that of
MONGODB_URI. For so many seconds it kills and freezes them, breaks their connections, puts their clocks wrong, and gives
them jobs that do the rest. Then it lets the work come to its end, and checks that no guarantee was broken.

--seconds  how long things go wrong: default 600
--seed     repeats a run, as far as the timing of processes allows: default a random one
--quiet    does not tell each fault

The last line has the counts. Exit code 1: a guarantee was broken, and the lines before it tell which, with documents.`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(randomInt(1_000_000_000)) },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(help);
else process.exitCode = await chaos(toCount('seconds', values.seconds), toCount('seed', values.seed));

async function chaos(seconds: number, seed: number): Promise<number> {
  console.log(`Chaos for ${seconds} s with --seed ${seed}`);
  const say = values.quiet ? () => {} : console.log;
  const { counts, violations } = await runChaos({ seconds, seed, say });
  for (const { rule, message, documents } of violations) {
    console.log(`VIOLATION ${rule}: ${message}`);
    for (const document of documents) console.log(`  ${EJSON.stringify(document)}`);
  }
  console.log(formatCounts(counts));
  return violations.length === 0 ? 0 : 1;
}

function toCount(name: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  console.error(`--${name}: expected a whole number, not '${text}'. See --help.`);
  process.exit(2);
}
