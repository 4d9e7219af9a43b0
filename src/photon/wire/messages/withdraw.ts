/**
 * Money out of a channel that stays open, asked and answered. v1 commands 23, 25: channel 32 ‖ epoch 8 ‖ p1 20 ‖ p2 20 ‖ p1 balance 32 ‖
 * p1 withdraw 32 ‖ contract signature 65. v2 types 0x4d, 0x4e: channel 32 ‖ epoch 8 ‖ participant 20 ‖ total 16 ‖
 * validUntil 8 ‖ contract signature 65. An answer adds code and reason.
 */
import { inputError } from '../../../base/index.ts'
import type { WithdrawTerms } from '../../ports.ts'
import type { ByteReader } from '../byte-reader.ts'
import type { ByteWriter } from '../byte-writer.ts'
import { readKey, writeKey } from '../envelope.ts'
import { FRAME_VERSION, checkContractSignature, readContractSignature, readReason, writeContractSignature, writeReason } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'

interface Form {
  readonly profile: 'v1' | 'v2'
  readonly lengthBytes: 2 | 4
  writeTerms(out: ByteWriter, terms: WithdrawTerms): void
  readTerms(from: ByteReader): WithdrawTerms
}

const V1: Form = {
  profile: 'v1',
  lengthBytes: 4,
  writeTerms(out, terms) {
    if (terms.profile !== 'v1') throw inputError('terms.profile', terms.profile, 'v1')
    out.address(terms.participant, 'terms.participant').address(terms.partner, 'terms.partner')
    out.u256(terms.balance, 'terms.balance').u256(terms.withdraw, 'terms.withdraw')
  },
  readTerms(from) {
    const participant = from.address()
    const partner = from.address()
    const balance = from.u256()
    return { profile: 'v1', participant, partner, balance, withdraw: from.u256() }
  },
}

const V2: Form = {
  profile: 'v2',
  lengthBytes: 2,
  writeTerms(out, terms) {
    if (terms.profile !== 'v2') throw inputError('terms.profile', terms.profile, 'v2')
    out.address(terms.participant, 'terms.participant').u128(terms.total, 'terms.total').height(terms.validUntil, 'terms.validUntil')
  },
  readTerms(from) {
    const participant = from.address()
    const total = from.u128()
    return { profile: 'v2', participant, total, validUntil: from.height('valid until') }
  },
}

function request(form: Form, type: number, version: number): Layout<MessageOf<'withdraw-request'>> {
  return {
    kind: 'withdraw-request',
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
      return { kind: 'withdraw-request', key, terms, contractSignature }
    },
  }
}

function response(form: Form, type: number, version: number): Layout<MessageOf<'withdraw-response'>> {
  return {
    kind: 'withdraw-response',
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
      return { kind: 'withdraw-response', key, terms, contractSignature, code, reason }
    },
  }
}

export const withdrawRequestV1 = request(V1, 23, 0)
export const withdrawResponseV1 = response(V1, 25, 0)
export const withdrawRequestV2 = request(V2, 0x4d, FRAME_VERSION)
export const withdrawResponseV2 = response(V2, 0x4e, FRAME_VERSION)
