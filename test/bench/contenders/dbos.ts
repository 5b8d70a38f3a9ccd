import { createRequire } from 'node:module';
import { z } from 'zod';

/** The part of DBOS that is used. Its own types exist only once the benchmark has installed it. */
interface Dbos {
  setConfig(config: Readonly<Record<string, unknown>>): void;
  registerWorkflow<Workflow>(workflow: Workflow, options: { readonly name: string }): Workflow;
  launch(): Promise<void>;
  shutdown(): Promise<void>;
  startWorkflow(workflow: () => Promise<void>): () => Promise<{ getResult(): Promise<void> }>;
  runStep<Result>(step: () => Promise<Result>, options: { readonly name: string }): Promise<Result>;
}

/** This process is none of the bundled programs, which run beside the libraries. */
const requirePeer = createRequire(new URL('../peers/package.json', import.meta.url));

const dbosModule = z.object({ DBOS: z.custom<Dbos>((value) => typeof value === 'function') });

/**
 * Calls `use` with a function that runs workflows of steps that do nothing, on PostgreSQL, with the defaults of DBOS. A
 * process has one DBOS.
 */
export async function withDbos(
  uri: string,
  steps: number,
  use: (runAll: (workflows: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const { DBOS } = dbosModule.parse(requirePeer('@dbos-inc/dbos-sdk'));
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: uri, logLevel: 'error', runAdminServer: false });
  const run = async () => {
    for (let n = 0; n < steps; n += 1) await DBOS.runStep(async () => n, { name: `step ${n}` });
  };
  const workflow = DBOS.registerWorkflow(run, { name: 'stepped' });
  await DBOS.launch();
  const runOne = async () => (await DBOS.startWorkflow(workflow)()).getResult();
  try {
    await use(async (workflows) => {
      await Promise.all(Array.from({ length: workflows }, runOne));
    });
  } finally {
    await DBOS.shutdown();
  }
}
