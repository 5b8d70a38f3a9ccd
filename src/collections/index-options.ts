/** Which indexes a database is to have beside those that are always needed. */
export interface IndexOptions {
  /**
   * Whether jobs have an index by queue and time: true makes it, false drops it, and by default it is left as it is, there
   * or not. It costs two entries for each job, beside 14. With it a list of one queue's jobs examines as many as it gives;
   * without it, up to 5,000 of all queues for each page.
   */
  readonly byQueue?: boolean | undefined;
  /** Told as indexes are built, and every 10 s while one is; and of those that are dropped. */
  readonly onProgress?: ((progress: IndexProgress) => void) | undefined;
}

/** What `ensureIndexes` is at. */
export interface IndexProgress {
  /**
   * `building`: it has begun to; of a large collection that takes minutes. `made`: they are there. `waiting`: a transaction
   * holds the collection, and it is tried again. `failed`: values that are to be unique are there twice. `dropped`: they are
   * gone, those of earlier versions, or the one that is not wanted any more.
   */
  readonly kind: 'building' | 'made' | 'waiting' | 'failed' | 'dropped';
  readonly collection: string;
  readonly indexes: readonly string[];
  /** About how many documents there are, which have to be read to make one. */
  readonly documents: number;
  /** Since it was begun, in milliseconds. */
  readonly elapsedMs: number;
}
