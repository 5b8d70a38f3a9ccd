import type { TestProject } from 'vitest/node';
import { startEmbeddedMongo } from '../local/mongo/index.js';

declare module 'vitest' {
  interface ProvidedContext {
    mongodbUri: string;
  }
}

/** Once per run: the server that portable tests use, MONGODB_URI or an embedded one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.MONGODB_URI;
  if (given) {
    project.provide('mongodbUri', given);
    return async () => {};
  }
  const { uri, stop } = await startEmbeddedMongo();
  project.provide('mongodbUri', uri);
  return stop;
}
