/** Changes on top of a map, readable at once, taken over or thrown away as one. */
export class Overlay<K, V> {
  readonly #base: Map<K, V>
  readonly #changes = new Map<K, V | undefined>()
  /** Entries more (or less) than the base has. */
  #growth = 0

  constructor(base: Map<K, V>) {
    this.#base = base
  }

  get(key: K): V | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#base.get(key)
  }

  set(key: K, value: V): void {
    this.#growth += this.#has(key) ? 0 : 1
    this.#changes.set(key, value)
  }

  delete(key: K): void {
    this.#growth -= this.#has(key) ? 1 : 0
    this.#changes.set(key, undefined)
  }

  /** What the map holds without the changes. */
  before(key: K): V | undefined {
    return this.#base.get(key)
  }

  /** Keys that were set or deleted. */
  changed(): IterableIterator<K> {
    return this.#changes.keys()
  }

  get size(): number {
    return this.#base.size + this.#growth
  }

  *values(): IterableIterator<V> {
    for (const [key, value] of this.#base) if (!this.#changes.has(key)) yield value
    for (const value of this.#changes.values()) if (value !== undefined) yield value
  }

  takeOver(): void {
    for (const [key, value] of this.#changes) {
      if (value === undefined) this.#base.delete(key)
      else this.#base.set(key, value)
    }
    this.#changes.clear()
    this.#growth = 0
  }

  #has(key: K): boolean {
    return this.#changes.has(key) ? this.#changes.get(key) !== undefined : this.#base.has(key)
  }
}
