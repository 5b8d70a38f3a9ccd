/** Cuts the bytes that a client sends into its requests, which each begin with their own length. */
export class RequestStream {
  #pending = Buffer.alloc(0);

  /** Returns the requests that this chunk completes. */
  add(chunk: Buffer): Buffer[] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const complete: Buffer[] = [];
    while (this.#pending.length >= 4 && this.#pending.length >= this.#pending.readInt32LE(0)) {
      const length = this.#pending.readInt32LE(0);
      complete.push(this.#pending.subarray(0, length));
      this.#pending = this.#pending.subarray(length);
    }
    return complete;
  }
}
