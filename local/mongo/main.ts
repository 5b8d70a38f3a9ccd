import { parseArgs } from 'node:util';
import { startEmbeddedMongo } from './index.js';

/** Runs the embedded MongoDB as a process of its own: prints its uri as one line, stops on SIGTERM or SIGINT. */
const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const mongo = await startEmbeddedMongo({ port: Number(values.port) });
console.log(mongo.uri);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void mongo.stop());
