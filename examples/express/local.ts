/** The app on this machine: an embedded MongoDB, and loops instead of Lambda functions. */
import { MongoClient } from 'mongodb';
import { LocalProcessor, startEmbeddedMongo } from 'remote-processor/local';
import { createApp } from './app.js';
import { jobs } from './jobs.js';

const { uri } = await startEmbeddedMongo();
const processor = new LocalProcessor({ db: new MongoClient(uri).db('shop') });
await processor.ensureIndexes();
await processor.addJobFactories(jobs);
processor.startProcessor();
processor.startScheduler();
const { PORT = '3000' } = process.env;
const server = createApp(processor).listen(Number(PORT), () => console.log('Listening', server.address()));
