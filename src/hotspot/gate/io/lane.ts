/** One thing at a time, in the order asked for. */
export class Lane {
  #tail: Promise<unknown> = Promise.resolve()

  /** Runs `work` when everything before it is done; its failure is the caller's alone. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work)
    this.#tail = result.catch(() => undefined) // told to the caller; the lane goes on
    return result
  }

  /** Resolves when what was asked for so far is done. */
  async idle(): Promise<void> {
    await this.#tail
  }
}
