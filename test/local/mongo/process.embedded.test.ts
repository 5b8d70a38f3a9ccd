import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { MongoClient } from 'mongodb';
import { expect, test } from 'vitest';
import { program } from '../../programs.js';

test.each(['SIGTERM', 'SIGINT'] as const)(
  'as a process of its own it prints its uri and stops on %s',
  async (signal) => {
    const child = spawn(process.execPath, [await program('local/mongo/main.ts'), '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    const client = await new MongoClient(String(line).trim()).connect();
    await client.db('test').collection('c').insertOne({ a: 1 });
    await client.close();
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
  },
);
