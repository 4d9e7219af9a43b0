/**
 * Cooperative settlement, asked and answered. v1 commands 19, 21: channel 32 ‖ epoch 8 ‖ p1 20 ‖ b1 32 ‖ p2 20 ‖ b2 32 ‖ contract
 * signature 65. v2 types 0x4b, 0x4c: the same with amounts of 16 and validUntil 8 before the signature. An answer
 * adds code and reason.
 */
import type { SettleTerms } from '../../ports.ts'
import type { ByteReader } from '../byte-reader.ts'
import type { ByteWriter } from '../byte-writer.ts'
import { readKey, writeKey } from '../envelope.ts'
import { FRAME_VERSION, absentInV1, checkContractSignature, presentInV2, readContractSignature, readReason, writeContractSignature, writeReason } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'

interface Form {
  readonly profile: 'v1' | 'v2'
  readonly lengthBytes: 2 | 4
  writeTerms(out: ByteWriter, terms: SettleTerms): void
  readTerms(from: ByteReader): SettleTerms
}

const V1: Form = {
  profile: 'v1',
  lengthBytes: 4,
  writeTerms(out, terms) {
    absentInV1(terms.validUntil, 'terms.validUntil')
    out.address(terms.p1, 'terms.p1').u256(terms.balance1, 'terms.balance1').address(terms.p2, 'terms.p2').u256(terms.balance2, 'terms.balance2')
  },
  readTerms(from) {
    const p1 = from.address()
    const balance1 = from.u256()
    const p2 = from.address()
    return { p1, balance1, p2, balance2: from.u256(), validUntil: null }
  },
}

const V2: Form = {
  profile: 'v2',
  lengthBytes: 2,
  writeTerms(out, terms) {
    out.address(terms.p1, 'terms.p1').u128(terms.balance1, 'terms.balance1').address(terms.p2, 'terms.p2').u128(terms.balance2, 'terms.balance2')
    out.height(presentInV2(terms.validUntil, 'terms.validUntil'), 'terms.validUntil')
  },
  readTerms(from) {
    const p1 = from.address()
    const balance1 = from.u128()
    const p2 = from.address()
    const balance2 = from.u128()
    return { p1, balance1, p2, balance2, validUntil: from.height('valid until') }
  },
}

function request(form: Form, type: number, version: number): Layout<MessageOf<'settle-request'>> {
  return {
    kind: 'settle-request',
    type,
    version,
    signedAs: 'frame',
    write(out, message) {
      writeKey(out, message.key)
      form.writeTerms(out, message.terms)
      writeContractSignature(out, message.contractSignature, form.profile)
    },
    read(from) {
      const key = readKey(from)
      const terms = form.readTerms(from)
      const contractSignature = readContractSignature(from)
      checkContractSignature(from, contractSignature, form.profile)
      return { kind: 'settle-request', key, terms, contractSignature }
    },
  }
}

function response(form: Form, type: number, version: number): Layout<MessageOf<'settle-response'>> {
  return {
    kind: 'settle-response',
    type,
    version,
    signedAs: 'frame',
    write(out, message) {
      writeKey(out, message.key)
      form.writeTerms(out, message.terms)
      writeContractSignature(out, message.contractSignature, form.profile, message.code)
      writeReason(out, message.code, message.reason, form.lengthBytes)
    },
    read(from) {
      const key = readKey(from)
      const terms = form.readTerms(from)
      const contractSignature = readContractSignature(from)
      const { code, reason } = readReason(from, form.lengthBytes)
      checkContractSignature(from, contractSignature, form.profile, code)
      return { kind: 'settle-response', key, terms, contractSignature, code, reason }
    },
  }
}

export const settleRequestV1 = request(V1, 19, 0)
export const settleResponseV1 = response(V1, 21, 0)
export const settleRequestV2 = request(V2, 0x4b, FRAME_VERSION)
export const settleResponseV2 = response(V2, 0x4c, FRAME_VERSION)
