import { parseArgs } from 'node:util';
import { startEmbeddedMongo } from './index.js';

/** Runs the embedded MongoDB as its own process. Prints its uri on one line, and stops on SIGTERM or SIGINT. */
const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const mongo = await startEmbeddedMongo({ port: Number(values.port) });
console.log(mongo.uri);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void mongo.stop());
