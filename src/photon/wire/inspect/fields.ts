/** JSON as people write it, read strictly: each field by its path, amounts as decimal text, bytes as hex. Errors: input, naming the path. */
import { fromHex, inputError } from '../../../base/index.ts'
import type { Address, Hash, Hex } from '../../../base/index.ts'

type Json = Readonly<Record<string, unknown>>

const MAX_DIGITS = 78

export class Fields {
  readonly path: string
  readonly #value: unknown

  constructor(value: unknown, path: string) {
    this.#value = value
    this.path = path
  }

  get isAbsent(): boolean {
    return this.#value === undefined || this.#value === null
  }

  /** As it came. */
  get value(): unknown {
    return this.#value
  }

  at(name: string): Fields {
    return new Fields(this.object()[name], this.path === '' ? name : `${this.path}.${name}`)
  }

  object(): Json {
    if (typeof this.#value !== 'object' || this.#value === null || Array.isArray(this.#value)) throw this.#refuse('a JSON object')
    return this.#value as Json
  }

  /** Names and values of an object whose names are data too. */
  entries(): readonly (readonly [Fields, Fields])[] {
    return Object.entries(this.object()).map(([name, value]) => [new Fields(name, this.path), new Fields(value, `${this.path}.${name}`)])
  }

  list(maximum: number): readonly Fields[] {
    if (!Array.isArray(this.#value) || this.#value.length > maximum) throw this.#refuse(`a list of at most ${maximum}`)
    return this.#value.map((one, index) => new Fields(one, `${this.path}[${index}]`))
  }

  text(): string {
    if (typeof this.#value !== 'string') throw this.#refuse('text')
    return this.#value
  }

  flag(): boolean {
    if (typeof this.#value !== 'boolean') throw this.#refuse('true or false')
    return this.#value
  }

  oneOf<T extends string>(allowed: readonly T[]): T {
    const found = allowed.find((one) => one === this.#value)
    if (found === undefined) throw this.#refuse(allowed.join(', '))
    return found
  }

  /** Decimal text, or a number that was read exactly. */
  amount(): bigint {
    if (typeof this.#value === 'bigint' && this.#value >= 0n) return this.#value
    if (typeof this.#value === 'number' && Number.isSafeInteger(this.#value) && this.#value >= 0) return BigInt(this.#value)
    if (typeof this.#value === 'string' && this.#value.length <= MAX_DIGITS && /^\d+$/.test(this.#value)) return BigInt(this.#value)
    throw this.#refuse('a whole number in decimal, as text when above 2^53 - 1')
  }

  whole(): number {
    const isExact = typeof this.#value === 'bigint' || (typeof this.#value === 'string' && /^-?\d{1,16}$/.test(this.#value))
    const value = isExact ? Number(this.#value) : this.#value
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.#refuse('a whole number')
    return value
  }

  hash(): Hash {
    return this.#hex(32)
  }

  address(): Address {
    return this.#hex(20)
  }

  /** `length`: exactly as many; without it any. */
  bytes(length?: number): Uint8Array {
    const bytes = fromHex(this.text(), this.path)
    if (length !== undefined && bytes.length !== length) throw this.#refuse(`${length} bytes in hex`)
    return bytes
  }

  /** 32 bytes that no error message repeats. */
  secret(): Uint8Array {
    if (typeof this.#value !== 'string' || !/^(0x)?[0-9a-fA-F]{64}$/.test(this.#value)) throw inputError(this.path, 'what was given', '32 bytes in hex')
    return fromHex(this.#value)
  }

  orNull<T>(read: (fields: Fields) => T): T | null {
    return this.isAbsent ? null : read(this)
  }

  #hex(length: number): Hex {
    const text = this.#value
    if (typeof text !== 'string' || text.length !== 2 + 2 * length || !/^0x[0-9a-fA-F]+$/.test(text)) throw this.#refuse(`0x and ${2 * length} hex digits`)
    return text.toLowerCase() as Hex
  }

  #refuse(allowed: string): Error {
    return inputError(this.path === '' ? 'input' : this.path, this.#value === undefined ? 'nothing' : this.#value, allowed)
  }
}

/** Errors: input `input`. */
export function parseFields(text: string): Fields {
  try {
    return new Fields(JSON.parse(text), '')
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw inputError('input', text.slice(0, 20), 'valid JSON')
    throw thrown
  }
}

/** For JSON: bigint as decimal text, bytes as hex. */
export function shown(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shown(inner)]))
}

/** A name in `given` that `known` does not have is a slip of the pen. Errors: input, naming it. */
export function checkNames(given: unknown, known: unknown, also: readonly string[], path: string): void {
  if (Array.isArray(given) && Array.isArray(known)) given.forEach((one, index) => checkNames(one, known[index], also, `${path}[${index}]`))
  if (!isObject(given) || !isObject(known)) return
  for (const [name, inner] of Object.entries(given)) {
    const at = path === '' ? name : `${path}.${name}`
    if (also.includes(name)) continue
    if (!Object.hasOwn(known, name)) throw inputError(at, inner, `one of ${Object.keys(known).join(', ')}`)
    checkNames(inner, known[name], also, at)
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
