/**
 * Two ends of one channel talking directly, for the tests of single rules. Signatures are marks that say who signed
 * what: the machine never looks into one, the shell has recovered the sender before.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Address, Hash } from '../../../src/base/index.ts'
import { hexOf, utf8 } from '../../../src/base/index.ts'
import type { Domain, Message } from '../../../src/photon/index.ts'
import { channelMachine, openChannel, sealed, secretHashOf } from '../../../src/photon/channel/index.ts'
import type { ChannelFact, ChannelMachine, ChannelMoment, ChannelReceived, ChannelRules, ChannelState, OpenChannel, Refusal, Sent, Taken } from '../../../src/photon/channel/index.ts'

export const A: Address = `0x${'a1'.repeat(20)}`
export const B: Address = `0x${'b2'.repeat(20)}`
export const TOKEN: Address = `0x${'cc'.repeat(20)}`
export const CHANNEL: Hash = `0x${'ce'.repeat(32)}`
export const CONTRACT: Address = `0x${'dd'.repeat(20)}`
export const SETTLE_TIMEOUT = 500
export const OPEN_BLOCK = 100
export const V1: Domain = { profile: 'v1', chainId: 8888n, contract: CONTRACT }

export const at = (block: number): ChannelMoment => ({ block, isFrozen: false })
export const NOW = at(1_000)
export const frozenAt = (block: number, offlineBlocks = 0): ChannelMoment => ({ block, isFrozen: true, offlineBlocks })

export function machine(rules: Partial<ChannelRules> = {}): ChannelMachine {
  return channelMachine(keccak_256, { maxOfflineExposure: 50n, ...rules })
}

export const secretOf = (n: number): Hash => `0x${n.toString(16).padStart(64, '0')}`
export const hashLock = (n: number): Hash => secretHashOf(secretOf(n))

export function open(own: Address, changes: Partial<OpenChannel> = {}): ChannelState {
  const isA = own === A
  const deposits = { [A]: changes.ownDeposit ?? 1_000n, [B]: changes.partnerDeposit ?? 500n }
  return openChannel({
    domain: { profile: 'v2', chainId: 8888n, contract: CONTRACT },
    token: TOKEN,
    key: { channel: CHANNEL, epoch: 3n },
    settleTimeout: SETTLE_TIMEOUT,
    role: 'leaf',
    openBlock: OPEN_BLOCK,
    ...changes,
    own,
    partner: isA ? B : A,
    ownDeposit: isA ? (deposits[A] ?? 0n) : (deposits[B] ?? 0n),
    partnerDeposit: isA ? (deposits[B] ?? 0n) : (deposits[A] ?? 0n),
  })
}

/** Hash of everything a message says; stands for keccak of its bytes. */
export function extraOf(message: Message): Hash {
  return hexOf(keccak_256(utf8(JSON.stringify(message, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value instanceof Uint8Array ? hexOf(value) : value)))))
}

export function signatureBy(signer: Address, extra: Hash): Uint8Array {
  return utf8(`${signer}:${extra}`)
}

/** The packet that `signer` makes of a message. */
export function signed(message: Message, signer: Address): ChannelReceived {
  const extra = extraOf(message)
  return { message, sender: signer, extra, signature: signatureBy(signer, extra), packet: new Uint8Array(0), contractSigner: 'contractSignature' in message ? signer : null }
}

/** The state after the sent message was signed and noted. */
export function stateAfter(sent: Sent | Refusal): { readonly state: ChannelState; readonly packet: ChannelReceived } {
  if (!sent.ok) throw new Error(`refused: ${sent.code} ${sent.reason}`)
  const message: Message = 'contractSignature' in sent.message ? { ...sent.message, contractSignature: signatureBy(sent.state.own.address, CHANNEL) } : sent.message
  const packet = signed(message, sent.state.own.address)
  return { state: sealed(sent.state, message, packet.extra, packet.signature ?? new Uint8Array(0)), packet }
}

export function taken(outcome: Taken | Refusal): Taken {
  if (!outcome.ok) throw new Error(`refused: ${outcome.code} ${outcome.reason}`)
  return outcome
}

export type End = 'a' | 'b'

/** A channel with both ends; `send` runs a verb on one end and gives its packet to the other. */
export class Pair {
  a: ChannelState
  b: ChannelState
  readonly machines: Record<End, ChannelMachine>

  constructor(changes: Partial<OpenChannel> = {}, rules: Partial<ChannelRules> = {}) {
    this.a = open(A, changes)
    this.b = open(B, changes)
    this.machines = { a: machine(rules), b: machine(rules) }
  }

  /** Returns what the other end made of it. Throws where the sender itself refuses. */
  send(from: End, verb: (machine: ChannelMachine, state: ChannelState) => Sent | Refusal, moment: ChannelMoment = NOW): Taken | Refusal {
    return this.give(from === 'a' ? 'b' : 'a', this.packet(from, verb), moment)
  }

  /** Runs a verb on one end and keeps its packet from the other. */
  packet(from: End, verb: (machine: ChannelMachine, state: ChannelState) => Sent | Refusal): ChannelReceived {
    const after = stateAfter(verb(this.machines[from], this[from]))
    this[from] = after.state
    return after.packet
  }

  give(to: End, packet: ChannelReceived, moment: ChannelMoment = NOW): Taken | Refusal {
    const outcome = this.machines[to].receive(this[to], packet, moment)
    if (outcome.ok) this[to] = outcome.state
    return outcome
  }

  pay(from: End, amount: bigint, moment: ChannelMoment = NOW): Taken | Refusal {
    return this.send(from, (m, s) => m.sendDirect(s, { amount, paymentId: null, data: new Uint8Array(0) }, moment), moment)
  }

  lock(from: End, n: number, amount: bigint, expiration = NOW.block + 200, moment: ChannelMoment = NOW): Taken | Refusal {
    return this.send(from, (m, s) => m.sendLocked(s, lockOrder(n, amount, expiration), moment), moment)
  }
}

export function lockOrder(n: number, amount: bigint, expiration: number) {
  return { lock: { expiration, amount, secretHash: hashLock(n) }, amount, fee: 0n, initiator: A, target: B, path: [], paymentId: null }
}

export function kindsOf(outcome: Taken | Refusal): readonly ChannelFact['kind'][] {
  return taken(outcome).facts.map((fact) => fact.kind)
}

export function codeOf(outcome: { readonly ok: boolean; readonly code?: number }): number {
  return outcome.ok ? 0 : (outcome.code ?? -1)
}
