import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { drawChart, panel } from './chart.js';
import { peerVersions } from './install-peers.js';
import type { Results } from './results.js';
import type { Server } from './server.js';
import { COMMANDS_PER_JOB, JOBS_PER_SECOND } from './work-figures.js';

/** Writes the figures as JSON, and the most telling ones as a chart. @returns the paths of the files */
export async function save(results: Results, server: Server, form: string): Promise<string[]> {
  const folder = fileURLToPath(new URL('./results/', import.meta.url));
  await mkdir(folder, { recursive: true });
  const name = `${folder}${[server.kind, form].filter((part) => part !== '').join('-')}`;
  const json = {
    at: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model,
    cpus: availableParallelism(),
    server: `${server.kind} ${server.version}`,
    peers: await peerVersions(),
    noise: results.noise,
    leftOut: results.leftOut,
    failures: results.failures.map(({ message }) => message),
    rows: results.rows,
  };
  await writeFile(`${name}.json`, `${JSON.stringify(json, null, 2)}\n`);
  const panels = telling(results);
  if (panels.length === 0) return [`${name}.json`];
  await writeFile(`${name}.svg`, drawChart(panels));
  return [`${name}.json`, `${name}.svg`];
}

/** Returns the panels of the chart. Counts come first, because they are the same on every machine. */
function telling(results: Results) {
  const drained = results.rows.find(
    ({ under }) => under.startsWith('Drain') && under.includes(', 20 at'),
  )?.under;
  const panels = [
    ...(drained
      ? [
          panel(results, 'MongoDB commands per job, 20 at a time', drained, COMMANDS_PER_JOB, 2),
          panel(results, 'Jobs per second, 20 at a time', drained, JOBS_PER_SECOND, 0),
        ]
      : []),
  ];
  return panels.filter(({ bars }) => bars.length > 0);
}
