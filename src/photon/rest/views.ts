/** 6.2: the objects of the answers, with the original's names, spellings and numbers. */
import type { Address, Hash } from '../../base/index.ts'
import type { BalanceProof, Lock } from '../ports.ts'
import { CHANNEL_STATES, TRANSFER_STATES } from './api.ts'
import type { ChannelDetailView, ChannelView, FeeEarned, FeeRate, FeeTable, LockView, PendingReceiptView, ReceivedTransferView, RouteView, SentTransferView, TransactionView } from './api.ts'
import { checksumAddress as shown } from './checksum.ts'

export function channelData(view: ChannelView): object {
  return {
    channel_identifier: view.channel,
    open_block_number: view.epoch,
    partner_address: shown(view.partner),
    balance: view.balance,
    partner_balance: view.partnerBalance,
    locked_amount: view.locked,
    partner_locked_amount: view.partnerLocked,
    token_address: shown(view.token),
    state: CHANNEL_STATES.indexOf(view.state),
    state_string: view.state,
    settle_timeout: view.settleTimeout,
    reveal_timeout: view.revealTimeout,
  }
}

export function channelDetail(view: ChannelDetailView): object {
  return {
    ...channelData(view),
    closed_block: view.closedBlock,
    settled_block: view.settledBlock,
    our_unknown_secret_locks: locksOf(view.ownLocks, false),
    our_known_secret_locks: locksOf(view.ownLocks, true),
    partner_unknown_secret_locks: locksOf(view.partnerLocks, false),
    partner_known_secret_locks: locksOf(view.partnerLocks, true),
    our_leaves: view.ownLocks.map((one) => one.lockHash),
    partner_leaves: view.partnerLocks.map((one) => one.lockHash),
    our_balance_proof: proofData(view.ownProof),
    partner_balance_proof: proofData(view.partnerProof),
    signature: view.partnerProof?.signature ?? null,
  }
}

/** Go writes its Lock with the names of its fields. */
function lockData(lock: Lock): object {
  return { Expiration: lock.expiration, Amount: lock.amount, LockSecretHash: lock.secretHash }
}

function locksOf(locks: readonly LockView[], isKnown: boolean): object {
  const chosen = locks.filter((one) => (one.secret !== null) === isKnown)
  return Object.fromEntries(
    chosen.map((one) => [one.lock.secretHash, { lock: lockData(one.lock), lock_hash: one.lockHash, ...(one.secret === null ? {} : { secret: one.secret, is_registered_on_chain: one.isRegistered }) }]),
  )
}

function proofData(proof: BalanceProof | null): object | null {
  if (proof === null) return null
  return {
    nonce: proof.nonce,
    transfer_amount: proof.transferred,
    locks_root: proof.locksroot,
    channel_identifier: { channel_identifier: proof.channel, open_block_number: proof.epoch },
    message_hash: proof.extra,
    signature: proof.signature,
  }
}

/** Two names without a tag in the original: capital letters. */
export function sentTransfer(view: SentTransferView): object {
  return {
    Key: view.key,
    block_number: view.block,
    token_address: shown(view.token),
    LockSecretHash: view.secretHash,
    target_address: shown(view.target),
    amount: view.amount,
    data: view.data,
    is_direct: view.isDirect,
    sending_time: view.sendingSeconds,
    finish_time: view.finishSeconds,
    status: TRANSFER_STATES.indexOf(view.status),
    status_message: view.statusMessage,
    channel_identifier: view.channel,
    open_block_number: view.epoch,
  }
}

export function receivedTransfer(view: ReceivedTransferView): object {
  return {
    Key: view.key,
    block_number: view.block,
    OpenBlockNumber: view.epoch,
    channel_identifier: view.channel,
    token_address: shown(view.token),
    initiator_address: shown(view.initiator),
    nonce: view.nonce,
    amount: view.amount,
    data: view.data,
    time_stamp: view.seconds,
  }
}

export function pendingReceipt(view: PendingReceiptView): object {
  return {
    initiator_address: shown(view.initiator),
    target_address: shown(view.target),
    token_address: shown(view.token),
    amount: view.amount,
    secret: view.secret ?? '',
    lock_secret_hash: view.secretHash,
    expiration: view.blocksLeft,
    fee: view.fee,
    is_direct: view.isDirect,
  }
}

export function routeData(view: RouteView): object {
  return { path_id: view.pathId, path_hop: view.hops.length, fee: view.fee, result: view.hops.map(shown) }
}

function feeRate(rate: FeeRate): object {
  return { fee_constant: rate.constant, fee_percent: rate.divisor }
}

export function feePolicy(table: FeeTable): object {
  const mapped = (rates: ReadonlyMap<Address, FeeRate>, name: (key: Address) => string): object => Object.fromEntries([...rates].map(([key, rate]) => [name(key), feeRate(rate)]))
  return { account_fee: feeRate(table.account), token_fee_map: mapped(table.tokens, shown), channel_fee_map: mapped(table.channels, (id: Hash) => id) }
}

export function feesEarned(fees: readonly FeeEarned[]): object {
  const total = new Map<string, bigint>()
  for (const one of fees) total.set(shown(one.token), (total.get(shown(one.token)) ?? 0n) + one.fee)
  const details = fees.map((one) => ({
    key: one.key,
    lock_secret_hash: one.secretHash,
    token_address: shown(one.token),
    transfer_from: shown(one.from),
    transfer_to: shown(one.to),
    transfer_amount: one.amount,
    in_channel: one.inChannel,
    out_channel: one.outChannel,
    fee: one.fee,
    timestamp: one.seconds,
    data: one.data,
    block_number: one.block,
  }))
  return { total_fee: total, details }
}

export function transactionData(view: TransactionView): object {
  return {
    tx_hash: view.hash,
    channel_identifier: view.channel,
    open_block_number: view.epoch,
    token_address: shown(view.token),
    type: view.type,
    is_self_call: view.isOwnCall,
    tx_params: view.params,
    tx_status: view.status,
    // Nothing was ever written there.
    events: null,
    pack_block_number: view.packBlock,
    call_time: view.callSeconds,
    pack_time: view.packSeconds,
    gas_price: view.gasPrice,
    gas_used: view.gasUsed,
  }
}
