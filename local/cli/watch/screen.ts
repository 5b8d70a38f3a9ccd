import type { ReadStream, WriteStream } from 'node:tty';

/** A terminal whose lines are all drawn together. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  /** Replaces all lines of the screen. */
  draw(lines: readonly string[]): void;
}

const ENTER = '\x1b[?1049h\x1b[?25l'; // the alternate screen, without a cursor
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE_END = '\x1b[K';
const CTRL_C = '\x03';

/**
 * Takes over a terminal while `work` runs, and always restores it.
 *
 * @param work receives the screen, a signal that fires at q or Ctrl-C, and a function to register a redraw after
 *   resizing
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
    // A single write that clears nothing first does not flicker.
    draw: (lines) => void output.write(HOME + lines.map((line) => line + CLEAR_LINE_END).join('\r\n')),
  };
  process.once('exit', leave); // Restores the terminal after an uncaught error, too.
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
