/** A node's view for tests of decisions: channels as glances, payments in the real table, nothing behind it. */
import type { Address, Hash } from '../../../src/base/index.ts'
import { hexOf } from '../../../src/base/index.ts'
import { secretHashOf } from '../../../src/photon/channel/index.ts'
import { DEFAULT_PAYMENT_RULES, PaymentTable, step } from '../../../src/photon/payment/index.ts'
import type { ChannelGlance, LockedTerms, PayOrder, PaymentCommand, PaymentInput, PaymentRules, PaymentState, PaymentView } from '../../../src/photon/payment/index.ts'
import type { Domain, Lock, Path } from '../../../src/photon/ports.ts'

export const V2: Domain = { profile: 'v2', chainId: 1n, contract: `0x${'cc'.repeat(20)}` }
export const V1: Domain = { ...V2, profile: 'v1' }
export const TOKEN: Address = `0x${'a1'.repeat(20)}`
export const OTHER_TOKEN: Address = `0x${'b2'.repeat(20)}`
export const ME = nodeOf(1)
export const SECRET: Hash = `0x${'11'.repeat(32)}`
export const HASH = secretHashOf(SECRET)
export const BLOCK = 1000

export function nodeOf(number: number): Address {
  return hexOf(new Uint8Array(20).fill(number))
}

export function channelName(partner: Address, token = TOKEN): Hash {
  return `0x${partner.slice(2, 34)}${token.slice(2, 34)}`
}

export class Desk implements PaymentView {
  readonly self = ME
  moment = { block: BLOCK, isFrozen: false }
  readonly rules: PaymentRules
  readonly table = new PaymentTable()
  readonly ended = new Map<string, PaymentState>()
  readonly glances = new Map<Hash, ChannelGlance>()
  fee = 1n

  constructor(partners: readonly Address[], rules: Partial<PaymentRules> = {}) {
    this.rules = { ...DEFAULT_PAYMENT_RULES, ...rules }
    for (const partner of partners) this.put(partner, {})
  }

  put(partner: Address, change: Partial<ChannelGlance>): ChannelGlance {
    const token = change.token ?? TOKEN
    const channel = channelName(partner, token)
    const before = this.glances.get(channel) ?? {
      key: { channel, epoch: 1n },
      domain: V2,
      token,
      partner,
      role: 'core' as const,
      settleTimeout: 600,
      isUsable: true,
      isOpen: true,
      isReady: true,
      spendable: 1000n,
      capacity: 2000n,
      ownLocks: [],
      partnerLocks: [],
    }
    const glance = { ...before, ...change }
    this.glances.set(channel, glance)
    return glance
  }

  payment = (id: string): PaymentState | undefined => this.table.get(id) ?? this.ended.get(id)
  withSecretHash = (hash: Hash): readonly PaymentState[] => this.table.withSecretHash(hash)
  open = (): readonly PaymentState[] => this.table.open()
  channel = (channel: Hash): ChannelGlance | undefined => this.glances.get(channel)
  channels = (): Iterable<ChannelGlance> => this.glances.values()
  feeFor = (): bigint => this.fee
  channelTo = (partner: Address, token: Address, domain: Domain): ChannelGlance | undefined => [...this.glances.values()].find((one) => one.partner === partner && one.token === token && one.domain === domain)

  /** Carries no command out: gives them back, as kinds or whole. */
  give(input: PaymentInput): readonly PaymentCommand[] {
    const { changes, commands } = step(this, input)
    for (const change of changes) {
      this.table.put(change)
      if (change.isEnded) this.ended.set(change.id, change)
      else this.ended.delete(change.id)
    }
    return commands
  }

  only<R extends PaymentState['role']>(role: R): Extract<PaymentState, { role: R }> {
    const found = [...this.table.open(), ...this.ended.values()].filter((state): state is Extract<PaymentState, { role: R }> => state.role === role)
    const [state] = found
    if (state === undefined || found.length > 1) throw new Error(`${found.length} records of role ${role}`)
    return state
  }
}

export function orderOf(change: Partial<PayOrder> = {}): PayOrder {
  return { domain: V2, token: TOKEN, target: nodeOf(9), amount: 100n, maxFee: 10n, maxParts: 1, data: new Uint8Array(0), paymentId: null, secretHash: HASH, secret: SECRET, isRevealAllowed: true, freshRetries: 0, ...change }
}

/** Over these nodes, one unit of fee for each that carries. */
export function pathOver(nodes: readonly Address[], amount: bigint): Path {
  const hops = nodes.map((node, at) => ({ node, channel: channelName(node), amount: amount + BigInt(nodes.length - 1 - at) }))
  return { hops, amount, fee: BigInt(nodes.length - 1) }
}

export function termsOf(change: Partial<LockedTerms> & { readonly lock?: Lock } = {}): LockedTerms {
  return { lock: { expiration: BLOCK + 100, amount: 101n, secretHash: HASH }, amount: 100n, fee: 1n, initiator: nodeOf(8), target: nodeOf(9), path: [{ node: nodeOf(9), amount: 100n }], paymentId: null, ...change }
}

export function kinds(commands: readonly PaymentCommand[]): readonly string[] {
  return commands.map((command) => (command.kind === 'notice' ? `notice ${command.what}` : command.kind))
}
