/** A channel's stream as one line of JSON, for the journals, and back. A line that does not read back is reported, not guessed. */
import { fromHex, inputError, toHex } from '../../../base/index.ts'
import type { Address, Hash } from '../../../base/index.ts'
import { FORMAT, stillFits } from './record-shape.ts'
import type { RecordShape, VoucherShape } from './record-shape.ts'
import type { HeldVoucher, PayeeChannel, PayeeSession } from './channel.ts'

export function recordOf(channel: PayeeChannel): string {
  const { account, final, owed, claim, session } = channel
  const shape: RecordShape = {
    format: FORMAT,
    account: {
      ...account,
      domain: { ...account.domain, chainId: account.domain.chainId.toString() },
      epoch: account.epoch.toString(),
      transferred: account.transferred.toString(),
      proved: account.proved.toString(),
      ceiling: account.ceiling.toString(),
    },
    final: final.toString(),
    owed: owed.toString(),
    claim: claim === null ? null : packVoucher(claim),
    session: session === null ? null : packSession(session),
  }
  return JSON.stringify(shape)
}

/** Errors: input `record` when the text is not one that `recordOf` made. */
export function channelOf(record: string): PayeeChannel {
  const shape = parse(record)
  const { account } = shape
  const key = { channel: account.channel as Hash, epoch: BigInt(account.epoch) }
  const unpack = (packed: VoucherShape): HeldVoucher => ({
    voucher: {
      ...key,
      cumulative: BigInt(packed.cumulative),
      tip: packed.tip as Hash,
      steps: packed.steps,
      unit: BigInt(packed.unit),
      signature: fromHex(packed.signature),
    },
    index: packed.index,
    preimage: fromHex(packed.preimage),
  })
  return {
    account: {
      ...key,
      domain: { profile: account.domain.profile, chainId: BigInt(account.domain.chainId), contract: account.domain.contract as Address },
      token: account.token as Address,
      payer: account.payer as Address,
      payee: account.payee as Address,
      transferred: BigInt(account.transferred),
      proved: BigInt(account.proved ?? account.transferred),
      ceiling: BigInt(account.ceiling),
    },
    final: BigInt(shape.final),
    owed: BigInt(shape.owed),
    claim: shape.claim === null ? null : unpack(shape.claim),
    session: shape.session === null ? null : unpackSession(shape.session, unpack),
  }
}

function packSession(session: PayeeSession): NonNullable<RecordShape['session']> {
  const { terms } = session
  return {
    id: session.id,
    challenge: session.challenge,
    device: session.device,
    phase: session.phase,
    base: session.base.toString(),
    debtTicks: session.debtTicks,
    servedTicks: session.servedTicks,
    terms: { ...terms, chainId: terms.chainId.toString(), unit: terms.unit.toString(), minDeposit: terms.minDeposit.toString() },
    vouchers: session.vouchers.map(packVoucher),
  }
}

function unpackSession(packed: NonNullable<RecordShape['session']>, unpack: (packed: VoucherShape) => HeldVoucher): PayeeSession {
  const { terms } = packed
  return {
    id: packed.id,
    challenge: packed.challenge as Hash,
    device: packed.device,
    phase: packed.phase,
    base: BigInt(packed.base),
    debtTicks: packed.debtTicks,
    servedTicks: packed.servedTicks,
    terms: {
      ...terms,
      contract: terms.contract as Address,
      token: terms.token as Address,
      chainId: BigInt(terms.chainId),
      unit: BigInt(terms.unit),
      minDeposit: BigInt(terms.minDeposit),
    },
    vouchers: packed.vouchers.map(unpack),
    lastAckMs: null,
    wrongTicks: 0,
  }
}

function packVoucher({ voucher, index, preimage }: HeldVoucher): VoucherShape {
  const { cumulative, tip, steps, unit, signature } = voucher
  return { cumulative: cumulative.toString(), tip, steps, unit: unit.toString(), signature: toHex(signature), index, preimage: toHex(preimage) }
}

function parse(record: string): RecordShape {
  let value: unknown
  try {
    value = JSON.parse(record)
  } catch {
    throw inputError('record', record, 'one line of JSON') // a write that was cut off
  }
  if (!stillFits(value)) throw inputError('record', record, `a stream record of format ${FORMAT}`)
  return value
}
