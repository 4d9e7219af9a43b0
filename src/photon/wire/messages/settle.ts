/** Cooperative settlement. Terms: v1 p1 20 ‖ b1 32 ‖ p2 20 ‖ b2 32; v2 p1 20 ‖ b1 16 ‖ p2 20 ‖ b2 16 ‖ valid until 8. */
import type { SettleTerms } from '../../ports.ts'
import { FRAME_VERSION, absentInV1, presentInV2 } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'
import { answerBody, questionBody } from './agreement.ts'
import type { TermsForm } from './agreement.ts'

const V1: TermsForm<SettleTerms> = {
  profile: 'v1',
  lengthBytes: 4,
  version: 0,
  write(out, terms) {
    absentInV1(terms.validUntil, 'terms.validUntil')
    out.address(terms.p1, 'terms.p1').u256(terms.balance1, 'terms.balance1').address(terms.p2, 'terms.p2').u256(terms.balance2, 'terms.balance2')
  },
  read(from) {
    const p1 = from.address()
    const balance1 = from.u256()
    const p2 = from.address()
    return { p1, balance1, p2, balance2: from.u256(), validUntil: null }
  },
}

const V2: TermsForm<SettleTerms> = {
  profile: 'v2',
  lengthBytes: 2,
  version: FRAME_VERSION,
  write(out, terms) {
    out.address(terms.p1, 'terms.p1').u128(terms.balance1, 'terms.balance1').address(terms.p2, 'terms.p2').u128(terms.balance2, 'terms.balance2')
    out.height(presentInV2(terms.validUntil, 'terms.validUntil'), 'terms.validUntil')
  },
  read(from) {
    const p1 = from.address()
    const balance1 = from.u128()
    const p2 = from.address()
    const balance2 = from.u128()
    return { p1, balance1, p2, balance2, validUntil: from.height('valid until') }
  },
}

function request(type: number, form: TermsForm<SettleTerms>): Layout<MessageOf<'settle-request'>> {
  const { write, read } = questionBody(form)
  return { kind: 'settle-request', type, version: form.version, signedAs: 'frame', write, read: (from) => ({ kind: 'settle-request', ...read(from) }) }
}

function response(type: number, form: TermsForm<SettleTerms>): Layout<MessageOf<'settle-response'>> {
  const { write, read } = answerBody(form)
  return { kind: 'settle-response', type, version: form.version, signedAs: 'frame', write, read: (from) => ({ kind: 'settle-response', ...read(from) }) }
}

export const settleRequestV1 = request(19, V1)
export const settleResponseV1 = response(21, V1)
export const settleRequestV2 = request(0x4b, V2)
export const settleResponseV2 = response(0x4c, V2)
