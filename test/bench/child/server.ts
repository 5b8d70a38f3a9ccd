/** The embedded MongoDB in its own process, which reports on request how much of the machine it uses. */
import { startEmbeddedMongo } from '../../../local/mongo/index.js';
import type { ServerReport } from '../server.js';

const mongo = await startEmbeddedMongo();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  tell({ kind: 'usage', cpuMs: (user + system) / 1000, memoryBytes: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit());
tell({ kind: 'started', uri: mongo.uri });

function tell(report: ServerReport): void {
  process.send?.(report);
}
