/** Options of `ensureIndexes`. */
export interface IndexOptions {
  /**
   * Whether jobs have an index by queue and time. True makes it, false drops it. Default: it stays as it is. Each job costs 14
   * index entries, and this index adds two. With it, a list of one queue's jobs reads only these jobs. Without it, each page
   * reads up to 5,000 jobs of all queues.
   */
  readonly byQueue?: boolean | undefined;
  /** Called when an index is built or dropped, and every 10 s during a build. */
  readonly onProgress?: ((progress: IndexProgress) => void) | undefined;
}

/** Progress of `ensureIndexes`. */
export interface IndexProgress {
  /**
   * `building`: building has begun, and may take minutes. `made`: the indexes exist. `waiting`: a transaction holds the
   * collection, and the step will be tried again. `failed`: values that must be unique occur twice. `dropped`: an index
   * of an earlier version, or an unwanted one, was dropped.
   */
  readonly kind: 'building' | 'made' | 'waiting' | 'failed' | 'dropped';
  readonly collection: string;
  readonly indexes: readonly string[];
  /** Approximate number of documents in the collection. Building an index reads all of them. */
  readonly documents: number;
  /** Time since the step began, in milliseconds. */
  readonly elapsedMs: number;
}
