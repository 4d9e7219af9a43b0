/** From what a caller says about a locked payment to the order the payment machines take. */
import { ZERO_HASH } from '../../base/index.ts'
import type { Hash } from '../../base/index.ts'
import { secretHashOf } from '../channel/index.ts'
import type { PayOrder } from '../payment/index.ts'
import type { Domain } from '../ports.ts'
import type { LockedPayment } from './node-terms.ts'
import type { RandomHashes } from './random-hashes.ts'

/** How often a payment that failed on every path is tried anew, under another secret; not where the secret is somebody else's choice. */
const FRESH_RETRIES = 2
const NO_DATA = new Uint8Array(0)

export function freshSecret(random: RandomHashes): { readonly secret: Hash; readonly secretHash: Hash } {
  const secret = random.next()
  return { secret, secretHash: secretHashOf(secret) }
}

export function payOrderOf(payment: LockedPayment, domain: Domain, random: RandomHashes): PayOrder {
  const { token, target, amount, maxFee, secret = null } = payment
  const isOwnSecret = payment.secretHash === undefined && payment.secret === undefined
  const secrets = isOwnSecret ? freshSecret(random) : { secret, secretHash: payment.secretHash ?? secretHashOf(secret ?? ZERO_HASH) }
  return {
    domain,
    token,
    target,
    amount,
    maxFee,
    maxParts: payment.maxParts ?? 1,
    data: payment.data ?? NO_DATA,
    paymentId: payment.paymentId ?? (domain.profile === 'v1' ? null : random.next()),
    ...secrets,
    isRevealAllowed: payment.isRevealAllowed ?? true,
    freshRetries: isOwnSecret ? FRESH_RETRIES : 0,
  }
}
