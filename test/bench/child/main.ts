/** A process of the benchmark: `main.mjs SETTING`, with an IPC channel to its parent. */
import { participants } from '../contenders/index.js';
import { countSocketBytes, Meter } from './meter.js';
import { now } from './now.js';
import { Runs } from './runs.js';
import { type Order, orderSchema, type Report, settingSchema } from './setting.js';
import { TELL_MS, tasks } from './tasks.js';

countSocketBytes();
const setting = settingSchema.parse(JSON.parse(process.argv[2] ?? ''));
const toldToBegin = told('begin');
const toldToStop = told('stop');
process.on('disconnect', () => process.exit());

const runs = new Runs(setting, (n) => tell({ kind: 'urgent', n, at: now() }));
const queue = await participants[setting.contender].open({ ...setting, run: runs.run });
const meter = new Meter(queue.client);
tell({ kind: 'ready' });
await toldToBegin;
const telling = setInterval(() => tell({ kind: 'ran', count: runs.count }), TELL_MS);
const samples = await tasks[setting.task]({
  queue,
  runs,
  setting,
  begin: () => meter.begin(),
  toldToStop: () => toldToStop,
});
clearInterval(telling);
const reading = { ...meter.read(), ran: runs.count, samples };
await queue.close();
process.send?.({ kind: 'done', reading } satisfies Report, () => process.exit());

function told(order: Order): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (message) => {
      if (orderSchema.parse(message) === order) resolve();
    });
  });
}

function tell(report: Report): void {
  process.send?.(report);
}
