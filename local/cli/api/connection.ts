/** A way to the app: over a network, or to the very same app in this process. */
export interface Connection {
  /** What paths are appended to, without a slash at its end. */
  readonly url: string;
  readonly apiKey: string;
  /** Answers as `fetch` does. */
  send(request: Request): Promise<Response>;
  /** Lets go of everything that would keep the process alive. */
  close(): Promise<void>;
}
