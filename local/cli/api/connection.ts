/** A connection to the HTTP app: over a network, or to the same app in this process. */
export interface Connection {
  /** The address that paths are appended to, without a trailing slash. */
  readonly url: string;
  readonly apiKey: string;
  /** Sends a request, as `fetch` does. */
  send(request: Request): Promise<Response>;
  /** Releases everything that would keep the process alive. */
  close(): Promise<void>;
}
