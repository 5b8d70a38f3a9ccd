import type { Writable } from 'node:stream';
import * as z from 'zod';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import type { OutputStream, Streams } from '../streams.js';
import { type Paint, painter } from './paint.js';
import type { Paper } from './table.js';
import { visible, visibleJson, visibleLines } from './visible.js';

/** A command's output: results go to standard output, messages to standard error. */
export class Output implements Paper {
  readonly #isJson: () => boolean;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;

  constructor(isJson: () => boolean, { stdout, stderr }: Omit<Streams, 'stdin'>) {
    this.#isJson = isJson;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** Whether the output is for scripts, because of `--json`. */
  get isJson(): boolean {
    return this.#isJson();
  }

  get isTerminal(): boolean {
    return this.stdout.isTTY === true;
  }

  get width(): number {
    return (this.isTerminal && this.stdout.columns) || Number.POSITIVE_INFINITY;
  }

  get paint(): Paint {
    return painter(this.stdout);
  }

  /**
   * Prints an answer. With `--json`, prints it unchanged. Otherwise prints the text that `render` makes of it.
   *
   * @throws CommandFailure for an answer that does not match the schema
   */
  result<Shape extends z.ZodType>(
    answer: unknown,
    schema: Shape,
    render: (answer: z.output<Shape>) => string,
  ): void {
    if (this.isJson) this.json(answer);
    else this.print(render(read(answer, schema)));
  }

  /** Prints a JSON document, indented for people on a terminal. */
  json(value: unknown): void {
    this.print(visibleJson(value, this.isTerminal ? 2 : 0));
  }

  /** Prints a JSON document on one line. */
  jsonLine(value: unknown): void {
    this.print(visibleJson(value));
  }

  print(text: string): void {
    this.#write(this.stdout, text);
  }

  /** Prints a message to standard error, apart from the results. */
  note(text: string): void {
    this.#write(this.stderr, visibleLines(text));
  }

  /** Prints why a command failed, and one more line for each issue. */
  failure(failure: CommandFailure): void {
    const { message, code, issues, exitCode } = failure;
    if (this.isJson) {
      const error = { code, message, ...(issues.length > 0 && { issues }), exitCode };
      this.#write(this.stderr, visibleJson({ error }));
      return;
    }
    const paint = painter(this.stderr);
    const lines = issues.map(({ path, message }) => `  ${path === '' ? message : `${path}: ${message}`}`);
    const first = `${paint('red', 'error:')} ${visible(message)}`;
    this.#write(this.stderr, [first, ...lines.map(visible)].join('\n'));
  }

  #write(stream: Writable, text: string): void {
    stream.write(`${text}\n`);
  }
}

/** Checks an answer against a schema. @throws CommandFailure */
export function read<Shape extends z.ZodType>(answer: unknown, schema: Shape): z.output<Shape> {
  const { data, error, success } = schema.safeParse(answer);
  if (success) return data;
  throw new CommandFailure(
    exitCode.unreachable,
    `The answer is not what was expected: has the deployment another version? ${z.prettifyError(error)}`,
    { code: 'unexpected_answer', cause: error },
  );
}
