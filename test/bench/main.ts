import { parseArgs } from 'node:util';
import type { Bench } from './bench.js';
import { buildPrograms } from './bundle.js';
import { OURS } from './contenders/contender.js';
import { installPeers } from './install-peers.js';
import { measurements } from './measurements/index.js';
import { Results } from './results.js';
import { save } from './save.js';
import { withServer } from './server.js';
import { formatTable } from './table.js';

const help = `npm run bench -- [--quick] [measurement ...]

Measures this project, Agenda 6, mongo-jobs, and the floor (a bare loop of find, update and bulkWrite) on the same
database: an embedded one in a process of its own, or that of MONGODB_URI; and beside them BullMQ on Redis, and Graphile
Worker and pg-boss (and DBOS, for steps) on PostgreSQL, each on a server of its own, where Debian's packages of those are installed.
Prints how far it is on standard error, one to three tables on standard output, and writes the figures as JSON and a chart to test/bench/results/.

--quick  a smaller form of each measurement, in about a minute; the whole takes half an hour

The first run installs what it compares with (npm ci in test/bench/peers).

Measurements, all of them unless some are named:
${measurements.map(({ name, about }) => `  ${name.padEnd(13)}${about}`).join('\n')}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
// The servers of other databases end when this process exits. A signal alone would leave them running.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
const unknown = positionals.filter((name) => !measurements.some((measurement) => measurement.name === name));

if (values.help) console.log(help);
else if (unknown.length > 0) {
  console.error(`There is no measurement '${unknown[0]}'. See --help.`);
  process.exitCode = 2;
} else await run(positionals, values.quick);

async function run(names: readonly string[], isQuick: boolean): Promise<void> {
  const began = performance.now();
  const say = (line: string) => {
    const seconds = String(Math.round((performance.now() - began) / 1000)).padStart(4);
    console.error(`${seconds} s  ${line}`);
  };
  await installPeers(say);
  const results = new Results();
  const programs = await buildPrograms();
  await withServer(programs.server, async (server) => {
    say(`Server: ${server.kind} ${server.version}`);
    const bench: Bench = { server, programs, isQuick, results, blueprints: new Map(), say };
    for (const { name, run } of measurements) {
      if (names.length === 0 || names.includes(name)) await run(bench);
    }
    const form = [...(isQuick ? ['quick'] : []), ...(names.length > 0 ? ['part'] : [])].join('-');
    console.log(formatTable(results));
    for (const path of await save(results, server, form)) say(`Written: ${path}`);
  });
  // A timeout of another library is a result, not a failure.
  if (results.failures.some(({ contender }) => contender === OURS)) process.exitCode = 1;
}
