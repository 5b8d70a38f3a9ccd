import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { startEmbeddedMongo } from '../local/mongo/index.js';

declare module 'vitest' {
  interface ProvidedContext {
    mongodbUri: string;
  }
}

/** Sets up the server of portable tests once per run: that of MONGODB_URI, or an embedded one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.MONGODB_URI;
  if (given) {
    project.provide('mongodbUri', given);
    console.log(
      `${await countEmbedded()} test files were left out: they need the embedded database, MONGODB_URI is set.`,
    );
    return async () => {};
  }
  const { uri, stop } = await startEmbeddedMongo();
  project.provide('mongodbUri', uri);
  return stop;
}

async function countEmbedded(): Promise<number> {
  const files = await readdir(fileURLToPath(new URL('.', import.meta.url)), { recursive: true });
  return files.filter((file) => file.endsWith('.embedded.test.ts')).length;
}
