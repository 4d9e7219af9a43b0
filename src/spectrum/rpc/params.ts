/**
 * Parameters, strictly: what is not exactly what a method takes is refused with the parameter's name.
 * Addresses and hashes may be written in any case (a checksum in an address's case is not judged).
 */
import { fromHex } from '../../base/index.ts'
import type { Address, Hash, Hex } from '../codec/fields.ts'
import { paramError } from './rpc-error.ts'

const MAX_SHOWN = 60
const MAX_WORD = 2n ** 256n - 1n

/** The parameters of one call. A number beyond those a method takes is refused. */
export class Params {
  readonly #values: readonly unknown[]

  constructor(values: readonly unknown[], most: number) {
    if (values.length > most) throw paramError('params', `${values.length} of them`, most === 0 ? 'none' : `at most ${most}`)
    this.#values = values
  }

  /** Undefined and null are the same: left out. */
  at(index: number): Param {
    return new Param(this.#values[index] ?? undefined, `params[${index}]`)
  }
}

/** One value on its way to a type. Errors: RpcError -32602, naming it. */
export class Param {
  readonly value: unknown
  readonly name: string

  constructor(value: unknown, name: string) {
    this.value = value
    this.name = name
  }

  get isAbsent(): boolean {
    return this.value === undefined || this.value === null
  }

  refuse(allowed: string): Error {
    return paramError(this.name, this.isAbsent ? 'nothing' : shown(this.value), allowed)
  }

  address(): Address {
    return this.#hex(20, 'an address: 0x and 40 hex digits')
  }

  hash(): Hash {
    return this.#hex(32, 'a hash: 0x and 64 hex digits')
  }

  /** A quantity up to `most`. */
  quantity(most: bigint = MAX_WORD): bigint {
    const { value } = this
    const allowed = `0x and hex digits without leading zeros, at most ${`0x${most.toString(16)}`}`
    if (typeof value !== 'string' || value.length > 66 || !/^0x(0|[1-9a-fA-F][0-9a-fA-F]*)$/.test(value)) throw this.refuse(allowed)
    const number = BigInt(value)
    if (number > most) throw this.refuse(allowed)
    return number
  }

  /** A slot of storage, as a quantity or as 1 to 32 bytes: wallets write both. */
  slot(): bigint {
    const { value } = this
    if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw this.refuse('0x and 1 to 64 hex digits')
    return BigInt(value)
  }

  data(maxBytes: number): Uint8Array {
    const { value } = this
    if (typeof value !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(value)) throw this.refuse('0x and an even number of hex digits')
    if (value.length > 2 + 2 * maxBytes) throw paramError(this.name, `${(value.length - 2) / 2} bytes`, `at most ${maxBytes} bytes`)
    return fromHex(value)
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.refuse('true or false')
    return this.value
  }

  text(maxChars: number): string {
    if (typeof this.value !== 'string' || this.value.length > maxChars) throw this.refuse(`a text of at most ${maxChars} characters`)
    return this.value
  }

  list(most: number): readonly Param[] {
    const { value } = this
    if (!Array.isArray(value)) throw this.refuse('a list')
    if (value.length > most) throw paramError(this.name, `${value.length} entries`, `at most ${most}`)
    return value.map((one: unknown, index) => new Param(one, `${this.name}[${index}]`))
  }

  /** An object with none but these fields. Null fields are left out. */
  fields<F extends string>(known: readonly F[]): Readonly<Record<F, Param>> {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.refuse('an object')
    const strange = Object.keys(value).find((field) => !(known as readonly string[]).includes(field))
    if (strange !== undefined) throw paramError(this.name, `the field '${strange.slice(0, MAX_SHOWN)}'`, known.join(', '))
    return Object.fromEntries(known.map((field) => [field, new Param(Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined, `${this.name}.${field}`)])) as Record<F, Param>
  }

  #hex(bytes: number, allowed: string): Hex {
    const { value } = this
    if (typeof value !== 'string' || value.length !== 2 + 2 * bytes || !/^0x[0-9a-fA-F]+$/.test(value)) throw this.refuse(allowed)
    return value.toLowerCase() as Hex
  }
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value.slice(0, 2 * MAX_SHOWN)}'` : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : String(value)
  const printable = text.replace(/[\p{Control}\p{Line_Separator}\p{Paragraph_Separator}\p{Bidi_Control}]/gu, '\ufffd')
  return printable.length <= MAX_SHOWN ? printable : `${printable.slice(0, MAX_SHOWN - 3)}...`
}
