/** JSON as people write it, read strictly: fields by name, bytes as hex, identifiers as printed. Errors: input, naming the field. */
import { fromHex, inputError } from '../../base/index.ts'
import type { Eui } from '../ports.ts'

type Json = Readonly<Record<string, unknown>>

const MAX_LIST = 64

export class Given {
  readonly #fields: Json
  readonly #asked = new Set<string>()

  constructor(fields: Json) {
    this.#fields = fields
  }

  static of(text: string): Given {
    return new Given(Given.parse(text))
  }

  /** Errors: input `json` for text that is no JSON object. The text is not shown: there may be keys in it. */
  static parse(text: string): Json {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (thrown) {
      if (thrown instanceof SyntaxError) throw inputError('json', `${text.length} characters`, 'JSON')
      throw thrown
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw inputError('json', Array.isArray(value) ? 'a list' : typeof value, 'a JSON object')
    return value as Json
  }

  /** To be called when everything was asked for: a name that nobody knows is a mistake of whoever wrote it. */
  nothingElse(): void {
    const left = Object.keys(this.#fields).find((name) => !this.#asked.has(name))
    if (left !== undefined) throw inputError('field', left, [...this.#asked].join(', '))
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined && this.raw(name) !== null
  }

  raw(name: string): unknown {
    this.#asked.add(name)
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const found = allowed.find((one) => one === this.raw(name))
    if (found === undefined) throw inputError(name, this.raw(name) ?? null, allowed.join(', '))
    return found
  }

  flag(name: string): boolean {
    const value = this.raw(name) ?? false
    if (typeof value !== 'boolean') throw inputError(name, value, 'true or false')
    return value
  }

  /** `instead`: when it is not there; left out: it must be. */
  whole(name: string, most: number, instead?: number): number {
    const value = this.raw(name) ?? instead
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) throw inputError(name, value ?? null, `a whole number from 0 to ${most}`)
    return value
  }

  wholes(name: string): readonly number[] {
    const value = this.raw(name) ?? []
    if (!Array.isArray(value) || value.length > MAX_LIST || !value.every((one) => Number.isSafeInteger(one))) throw inputError(name, value, `a list of at most ${MAX_LIST} whole numbers`)
    return value as readonly number[]
  }

  /** Hex, most significant digit first. */
  hexNumber(name: string, digits: number): number {
    const value = this.raw(name)
    if (typeof value !== 'string' || !new RegExp(`^(0x)?[0-9a-fA-F]{${digits}}$`).test(value)) throw inputError(name, value ?? null, `${digits} hex digits`)
    return Number.parseInt(value.replace(/^0x/, ''), 16)
  }

  eui(name: string): Eui {
    const value = this.raw(name)
    if (typeof value !== 'string' || !/^[0-9a-fA-F]{16}$/.test(value)) throw inputError(name, value ?? null, '16 hex digits')
    return value.toLowerCase()
  }

  bytes(name: string, most: number): Uint8Array {
    const value = this.raw(name) ?? ''
    if (typeof value !== 'string' || value.replace(/^0x/, '').length > 2 * most) throw inputError(name, value, `hex of at most ${most} bytes`)
    return fromHex(value, name)
  }

  /** 16 bytes; null when it is not there. The value is never shown again. */
  key(name: string): Uint8Array | null {
    const value = this.raw(name)
    if (value === undefined || value === null) return null
    if (typeof value !== 'string' || !/^[0-9a-fA-F]{32}$/.test(value)) throw inputError(name, 'what was given', '32 hex digits')
    return fromHex(value, name)
  }

  neededKey(name: string): Uint8Array {
    const key = this.key(name)
    if (key === null) throw inputError(name, null, '32 hex digits')
    return key
  }
}

/** A frame by hand: hex, in several lines if need be, or base64 as forwarders write it. Errors: input `phy`. */
export function phyOf(text: string): Uint8Array {
  const clean = text.replace(/\s+/g, '')
  if (clean === '' || clean.length > 1_024) throw inputError('phy', `${clean.length} digits`, 'hex or base64 of 1 to 255 bytes')
  if (/^(0x)?[0-9a-fA-F]+$/.test(clean) && clean.length % 2 === 0) return fromHex(clean, 'phy')
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(clean)) return new Uint8Array(Buffer.from(clean, 'base64'))
  throw inputError('phy', clean, 'hex or base64')
}
