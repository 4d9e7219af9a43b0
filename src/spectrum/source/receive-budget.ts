/**
 * Room for large messages, shared by all peers: who wants more than is left waits, first come first served,
 * and reads nothing meanwhile. So what all of them together make us hold is bounded, however many they are.
 */
export class ReceiveBudget {
  readonly #most: number
  #used = 0
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = []

  constructor(mostBytes: number) {
    this.#most = mostBytes
  }

  get usedBytes(): number {
    return this.#used
  }
  get waiting(): number {
    return this.#waiting.length
  }

  /** A message larger than the whole budget goes when it is alone. */
  reserve(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#used += bytes
      return Promise.resolve()
    }
    return new Promise((go) => this.#waiting.push({ bytes, go }))
  }

  release(bytes: number): void {
    this.#used -= bytes
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#used += next.bytes
      next.go()
    }
  }

  #fits(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.#most
  }
}
