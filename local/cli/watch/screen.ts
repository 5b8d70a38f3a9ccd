import type { ReadStream, WriteStream } from 'node:tty';

/** A terminal that one draws on as a whole. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  /** Replaces what is shown: a line each. */
  draw(lines: readonly string[]): void;
}

const ENTER = '\x1b[?1049h\x1b[?25l'; // another page of the terminal, no cursor
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE_END = '\x1b[K';
const CTRL_C = '\x03';

/**
 * Takes over a terminal while `work` goes on, and leaves it as it was, whatever happens.
 *
 * @param work is given the screen and what fires when somebody pressed q or Ctrl-C, or resized the terminal
 */
export async function withScreen(
  input: ReadStream,
  output: WriteStream,
  work: (
    screen: Screen,
    keys: { readonly quit: AbortSignal; readonly onResize: (redraw: () => void) => void },
  ) => Promise<void>,
): Promise<void> {
  const quit = new AbortController();
  const onKey = (key: Buffer) => {
    if (['q', 'Q', CTRL_C].includes(key.toString())) quit.abort();
  };
  const leave = () => {
    if (input.isRaw) input.setRawMode(false);
    output.write(LEAVE);
  };
  let redraw = () => {};
  const onResize = () => redraw();
  const screen: Screen = {
    get width() {
      return output.columns;
    },
    get height() {
      return output.rows;
    },
    // One write, and nothing is cleared first: so it does not flicker.
    draw: (lines) => void output.write(HOME + lines.map((line) => line + CLEAR_LINE_END).join('\r\n')),
  };
  process.once('exit', leave); // Also when something throws where nobody catches it.
  input.setRawMode(true);
  input.on('data', onKey).resume();
  output.on('resize', onResize);
  output.write(ENTER);
  try {
    await work(screen, {
      quit: quit.signal,
      onResize: (draw) => {
        redraw = draw;
      },
    });
  } finally {
    output.off('resize', onResize);
    input.off('data', onKey).pause();
    process.off('exit', leave);
    leave();
  }
}
