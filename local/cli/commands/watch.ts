import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../api/api.js';
import type { AddCommand, CommandContext } from '../context.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { toFailure } from '../to-failure.js';
import { drawFrame } from '../watch/frame.js';
import { withScreen } from '../watch/screen.js';
import { type Snapshot, takeSnapshot } from '../watch/snapshot.js';

const INTERVAL_MS = 1000;

/** `watch` shows a live view on a terminal. */
export const watchCommand: AddCommand = (parent, context) => {
  parent
    .command('watch')
    .description('Watch counts, throughput, queues, workers and errors on a terminal, until q or Ctrl-C.')
    .addHelpText('after', examples('watch', 'watch --json | head -1'))
    .action(async () => {
      if (context.output.isJson) return stream(context);
      if (!process.stdin.isTTY || !context.output.isTerminal)
        throw new CommandFailure(
          exitCode.usage,
          'watch needs a terminal; without one, --json writes a line each second',
          {
            code: 'wrong_usage',
          },
        );
      await show(context);
    });
};

/** Prints a line each second until the first failure. */
async function stream({ api, output, stopRequested }: CommandContext): Promise<void> {
  const stop = stopRequested();
  while (!stop.aborted) {
    output.jsonLine(await takeSnapshot(api));
    await sleep(INTERVAL_MS, undefined, { signal: stop }).catch(() => {});
  }
}

/**
 * Draws the screen each second. Throws if the first request fails. A later failure is shown, and the requests go on.
 */
async function show({ api, output, url, env, stopRequested }: CommandContext): Promise<void> {
  const title = url() ?? `database ${env.MONGODB_DATABASE ?? 'remote-processor'}`;
  let snapshot = await takeSnapshot(api);
  let problem: string | undefined;
  await withScreen(process.stdin, process.stdout, async (screen, { quit, onResize }) => {
    const stop = AbortSignal.any([quit, stopRequested()]);
    const draw = () => {
      const { width, height } = screen;
      screen.draw(drawFrame(snapshot, { width, height, title, problem, paint: output.paint }));
    };
    onResize(draw);
    for (draw(); !stop.aborted; draw()) {
      await sleep(INTERVAL_MS, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return;
      [snapshot, problem] = await next(api, snapshot);
    }
  });
}

async function next(api: Api, before: Snapshot): Promise<[Snapshot, string | undefined]> {
  try {
    return [await takeSnapshot(api), undefined];
  } catch (error) {
    return [before, (await toFailure(error)).message];
  }
}
