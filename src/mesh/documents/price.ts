/** What a box asks for carrying: RLP of the fields of PriceAdvert, in their order, without `box`, which the signature shows. */
import type { PriceAdvert } from '../ports.ts'
import { readDocument, writeDocument } from './fields.ts'

export const MAX_HOPS = 16
const MIN_VALID_SECONDS = 10
const MAX_VALID_SECONDS = 600
const MAX_SEQUENCE = 2 ** 48

type PriceFacts = Omit<PriceAdvert, 'box'>

export function encodePrice(price: PriceFacts): Uint8Array {
  // A price of nothing and no price are different: what there is has one more, like a list's length.
  const asked = price.unitsPerMiB === null ? null : price.unitsPerMiB + 1n
  return writeDocument('price', [price.sequence, price.payee, price.token, asked, price.ownUnitsPerMiB, price.validSeconds, price.hops, price.via])
}

/** Errors: input of the field that is wrong. */
export function decodePrice(payload: Uint8Array): PriceFacts {
  return readDocument('price', payload, (reader) => {
    const sequence = reader.number('sequence', 1, MAX_SEQUENCE)
    const payee = reader.address('payee')
    const token = reader.address('token')
    const asked = reader.amount('unitsPerMiB')
    const ownUnitsPerMiB = reader.amount('ownUnitsPerMiB')
    const validSeconds = reader.number('validSeconds', MIN_VALID_SECONDS, MAX_VALID_SECONDS)
    const hops = reader.number('hops', 0, MAX_HOPS)
    const via = reader.list('via', MAX_HOPS, (each) => each.address('via'))
    return { sequence, payee, token, unitsPerMiB: asked === 0n ? null : asked - 1n, ownUnitsPerMiB, validSeconds, hops, via }
  })
}
