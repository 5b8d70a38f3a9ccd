import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineJob, pinoLogger, RemoteProcessor, silentLogger } from '../src/index.js';
import { useDatabase } from './database.js';

const database = useDatabase();

/** Writes as pino does: the fields first; a first argument that is a text is the whole message. It needs its `this`. */
class Pino {
  readonly lines: object[] = [];

  debug(...args: unknown[]) {
    this.#write(20, args);
  }
  info(...args: unknown[]) {
    this.#write(30, args);
  }
  warn(...args: unknown[]) {
    this.#write(40, args);
  }
  error(...args: unknown[]) {
    this.#write(50, args);
  }

  #write(level: number, [first, second]: unknown[]) {
    this.lines.push(
      typeof first === 'string' ? { level, msg: first } : { level, ...Object(first), msg: second },
    );
  }
}

test('a pino logger gets the fields and the message of each level', () => {
  const pino = new Pino();
  const log = pinoLogger(pino);
  log.debug('looked', { found: 0 });
  log.info('ended', { jobId: 'a' });
  log.warn('alone');
  log.error('failed', { error: 'no' });
  expect(pino.lines).toEqual([
    { level: 20, found: 0, msg: 'looked' },
    { level: 30, jobId: 'a', msg: 'ended' },
    { level: 40, msg: 'alone' },
    { level: 50, error: 'no', msg: 'failed' },
  ]);
});

test('a processor logs by it', async () => {
  const pino = new Pino();
  const processor = database.processor({ log: pinoLogger(pino) });
  await processor.addJobFactory(defineJob({ name: 'x', run: async () => null }));
  const jobId = await processor.addJob('x');
  await processor.drain();
  expect(pino.lines).toContainEqual(expect.objectContaining({ level: 30, jobId, msg: 'Attempt ended' }));
});

test('what only adds jobs prints nothing by default, also one with an older definition', async () => {
  const definition = { name: 'x', input: z.object({}), run: async () => null };
  await database.processor().addJobFactory(defineJob({ ...definition, version: 2 }));
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockReturnValue(true),
  );
  const processor = new RemoteProcessor({ db: database.db });
  await processor.addJobFactory(defineJob(definition));
  await processor.addJob('x', {});
  await processor.addJobs([{ name: 'x', input: {} }]);
  await processor.addScheduler({ type: 'Delay', delay: '1h', jobName: 'x', input: {} });
  await expect(processor.addJob('x', 7)).rejects.toThrow();
  const written = streams.flatMap(({ mock }) => mock.calls.map(([text]) => String(text)));
  for (const stream of streams) stream.mockRestore();
  expect(written).toEqual([]);
});

test('a silent logger logs nothing', () => {
  for (const level of ['debug', 'info', 'warn', 'error'] as const)
    expect(silentLogger[level]('anything', { a: 1 })).toBeUndefined();
});
