/** Money out of a channel that stays open. Terms: v1 p1 20 ‖ p2 20 ‖ p1's balance 32 ‖ p1's withdrawal 32; v2 participant 20 ‖ total 16 ‖ valid until 8. */
import { inputError } from '../../../base/index.ts'
import type { WithdrawTerms } from '../../ports.ts'
import { FRAME_VERSION } from '../layout.ts'
import type { Layout, MessageOf } from '../layout.ts'
import { answerBody, questionBody } from './agreement.ts'
import type { TermsForm } from './agreement.ts'

const V1: TermsForm<WithdrawTerms> = {
  profile: 'v1',
  lengthBytes: 4,
  version: 0,
  write(out, terms) {
    if (terms.profile !== 'v1') throw inputError('terms.profile', terms.profile, 'v1')
    out.address(terms.participant, 'terms.participant').address(terms.partner, 'terms.partner')
    out.u256(terms.balance, 'terms.balance').u256(terms.withdraw, 'terms.withdraw')
  },
  read(from) {
    const participant = from.address()
    const partner = from.address()
    const balance = from.u256()
    return { profile: 'v1', participant, partner, balance, withdraw: from.u256() }
  },
}

const V2: TermsForm<WithdrawTerms> = {
  profile: 'v2',
  lengthBytes: 2,
  version: FRAME_VERSION,
  write(out, terms) {
    if (terms.profile !== 'v2') throw inputError('terms.profile', terms.profile, 'v2')
    out.address(terms.participant, 'terms.participant').u128(terms.total, 'terms.total').height(terms.validUntil, 'terms.validUntil')
  },
  read(from) {
    const participant = from.address()
    const total = from.u128()
    return { profile: 'v2', participant, total, validUntil: from.height('valid until') }
  },
}

function request(type: number, form: TermsForm<WithdrawTerms>): Layout<MessageOf<'withdraw-request'>> {
  const { write, read } = questionBody(form)
  return { kind: 'withdraw-request', type, version: form.version, signedAs: 'frame', write, read: (from) => ({ kind: 'withdraw-request', ...read(from) }) }
}

function response(type: number, form: TermsForm<WithdrawTerms>): Layout<MessageOf<'withdraw-response'>> {
  const { write, read } = answerBody(form)
  return { kind: 'withdraw-response', type, version: form.version, signedAs: 'frame', write, read: (from) => ({ kind: 'withdraw-response', ...read(from) }) }
}

export const withdrawRequestV1 = request(23, V1)
export const withdrawResponseV1 = response(25, V1)
export const withdrawRequestV2 = request(0x4d, V2)
export const withdrawResponseV2 = response(0x4e, V2)
