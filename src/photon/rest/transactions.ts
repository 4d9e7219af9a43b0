/**
 * TXInfo of the original (photon.md 6.2) of a transaction of ours: its type, and its terms as JSON text (`tx_params`), which has other
 * members for each type. An allowance before a deposit is a transaction of its own there too, with the deposit's terms.
 */
import { ZERO_ADDRESS, ZERO_HASH, concatBytes, bytesOf } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { BoxDuty, KeptTransaction } from '../chain/index.ts'
import type { BalanceProof } from '../ports.ts'
import type { TransactionFilter, TransactionView } from './api.ts'
import { writeJson } from './json.ts'

/** The last four are not the original's: what it has no transaction for. */
const TYPES: Readonly<Record<BoxDuty['kind'], string>> = {
  open: 'ChannelDeposit', 'open-for': 'ChannelDeposit', deposit: 'ChannelDeposit', close: 'ChannelClose', settle: 'ChannelSettle', 'cooperative-settle': 'CooperateSettle', update: 'UpdateBalanceProof',
  'update-delegate': 'UpdateBalanceProof', unlock: 'Unlock', punish: 'Punish', withdraw: 'Withdraw', 'register-secret': 'RegisterSecret', claim: 'Claim', purse: 'Purse', wrap: 'Wrap', unwrap: 'Unwrap', 'send-coin': 'SendCoin',
}

export function transactionView({ account, hash, due, step, steps, gasPriceWei, sentSeconds, mined }: KeptTransaction): TransactionView {
  const { duty, key } = due
  const isAllowance = TYPES[duty.kind] === 'ChannelDeposit' && step < steps - 1
  return {
    hash, channel: key?.channel ?? ZERO_HASH, epoch: key?.epoch ?? 0n, token: tokenOf(duty), type: isAllowance ? 'ApproveDeposit' : TYPES[duty.kind], isOwnCall: true, params: writeJson(paramsOf(duty, account), 'digits'),
    status: mined === null ? 'pending' : mined.succeeded ? 'success' : 'failed', packBlock: mined?.block ?? 0, callSeconds: sentSeconds, packSeconds: mined?.seconds ?? 0, gasPrice: gasPriceWei, gasUsed: mined?.gasUsed ?? 0n,
  }
}

/** Types and states may be lists with commas; zeros and empty texts ask for nothing. */
export function isWanted(one: TransactionView, { channel, epoch, token, type, status }: TransactionFilter): boolean {
  const among = (list: string | null, value: string): boolean => list === null || list === '' || list.split(',').includes(value)
  const same = (wanted: Hash | Address | null, value: Hash | Address): boolean => wanted === null || BigInt(wanted) === 0n || wanted === value
  return same(channel, one.channel) && (epoch === null || epoch === 0n || one.epoch === epoch) && same(token, one.token) && among(type, one.type) && among(status, one.status)
}

function tokenOf(duty: BoxDuty): Address {
  return 'token' in duty ? duty.token : ZERO_ADDRESS
}

function paramsOf(duty: BoxDuty, self: Address): object {
  switch (duty.kind) {
    case 'open':
      return { token_address: duty.token, participant_address: self, partner_address: duty.partner, amount: duty.amount, settle_timeout: duty.settleTimeout }
    case 'open-for':
    case 'deposit':
      return { token_address: duty.token, participant_address: duty.participant, partner_address: duty.partner, amount: duty.amount, settle_timeout: duty.settleTimeout }
    case 'close':
      return { token_address: duty.token, participant_address: self, partner_address: duty.partner, ...proofParams(duty.proof) }
    case 'update':
      return { token_address: duty.token, participant_address: self, partner_address: duty.partner, ...proofParams(duty.proof) }
    case 'update-delegate':
      return { token_address: duty.token, participant_address: duty.receiver, partner_address: duty.partner, ...proofParams(duty.proof) }
    case 'unlock':
      return {
        token_address: duty.token, participant_address: self, partner_address: duty.partner, transfer_amount: duty.transferred, expiration: duty.lock.expiration, amount: duty.lock.amount, lock_secret_hash: duty.lock.secretHash,
        proof: concatBytes(...duty.merkleProof.map(bytesOf)),
      }
    case 'settle': {
      const [p1, p2] = duty.sides
      return { token_address: duty.token, p1_address: p1.participant, p1_transfer_amount: p1.transferred, p1_locks_root: p1.locksroot, p2_address: p2.participant, p2_transfer_amount: p2.transferred, p2_locks_root: p2.locksroot }
    }
    case 'cooperative-settle': {
      const { terms, signatures } = duty
      return { token_address: duty.token, p1_address: terms.p1, p1_balance: terms.balance1, p2_address: terms.p2, p2_balance: terms.balance2, p1_signature: signatures[0], p2_signature: signatures[1] }
    }
    case 'withdraw':
      // Ours counts all withdrawals together, so there is no balance beside it.
      return { token_address: duty.token, p1_address: duty.participant, p2_address: duty.partner, p1_balance: 0n, p1_withdraw: duty.total, p1_signature: duty.signatures[0], p2_signature: duty.signatures[1] }
    case 'punish':
      return { token_address: duty.token, beneficiary: self, cheater: duty.cheater, lock_hash: duty.lockHash, extra_hash: duty.extra, cheater_signature: duty.signature }
    case 'register-secret':
      return { secret: duty.secret }
    case 'claim':
      return { token_address: duty.token, payer: duty.payer, payee: duty.payee, cumulative: duty.voucher.cumulative, steps: duty.steps }
    case 'wrap':
    case 'unwrap':
      return { token_address: duty.token, amount: duty.amount }
    case 'send-coin':
      return { to: duty.to, amount: duty.amount }
    case 'purse':
      return { from: duty.order.from, order: duty.hash }
  }
}

type ProofTerms = Pick<BalanceProof, 'transferred' | 'locksroot' | 'nonce' | 'extra' | 'signature'>

function proofParams(proof: ProofTerms | null): object {
  if (proof === null) return { transfer_amount: 0n, locks_root: ZERO_HASH, nonce: 0n, extra_hash: ZERO_HASH, signature: null }
  return { transfer_amount: proof.transferred, locks_root: proof.locksroot, nonce: proof.nonce, extra_hash: proof.extra, signature: proof.signature }
}
