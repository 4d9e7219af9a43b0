/** The desk for the owner's programs over the channels of photon-views.ts: it keeps what it is told. */
import { MeshBoxError, hexOf } from '../../src/base/index.ts'
import type { Address, Hash } from '../../src/base/index.ts'
import { openChannel } from '../../src/photon/channel/index.ts'
import type { ChannelState } from '../../src/photon/channel/index.ts'
import type { KeptTransaction } from '../../src/photon/chain/index.ts'
import type { ProgramDesk } from '../../src/photon/index.ts'
import { CHANNELS, GUEST, HEAD, MINUTE, SELF, account, hash } from './photon-views.ts'

export interface ScriptedPrograms extends Pick<ProgramDesk, keyof ProgramDesk> {
  /** Orders in words, as they came. */
  readonly asked: string[]
}

const CONTRACT = account(0x99)
/** Of the payment that waits for its secret. */
export const WAITING: Hash = hash(700)

const NO_SIGNATURE = new Uint8Array(65)
const LIFE = { channel: hash(3), epoch: 1n }
const sent = (number: number, duty: KeptTransaction['due']['duty'], key: KeptTransaction['due']['key'], part: Partial<KeptTransaction>): KeptTransaction => ({
  account: SELF, hash: hash(number), gasPriceWei: 18_000_000_000n, due: { duty, key, fromBlock: 0, deadlineBlock: null }, step: 0, steps: 1, head: HEAD - 40, sentSeconds: 1_795_000_000, mined: null, ...part,
})
const inBlock = (block: number, succeeded = true): KeptTransaction['mined'] => ({ block, seconds: 1_795_000_000 + block, succeeded, gasUsed: 91_000n })
const deposit = { kind: 'open', token: MINUTE, partner: GUEST, amount: 10n ** 30n, settleTimeout: 600, epoch: 1n } as const
const proof = { ...LIFE, nonce: 9n, transferred: 50n, locksroot: hash(40), extra: hash(41), signature: NO_SIGNATURE }

/** One on its way, the others in the chain. */
const TRANSACTIONS: readonly KeptTransaction[] = [
  sent(900, { kind: 'update', token: MINUTE, partner: GUEST, proof }, LIFE, {}),
  sent(901, { kind: 'unlock', token: MINUTE, partner: GUEST, transferred: 50n, lock: { expiration: HEAD, amount: 7n, secretHash: hash(42) }, merkleProof: [hash(43), hash(44)] }, LIFE, { mined: inBlock(HEAD - 20, false) }),
  sent(902, { kind: 'register-secret', secret: hash(45) }, null, { mined: inBlock(HEAD - 21) }),
  sent(903, { kind: 'close', token: MINUTE, partner: GUEST, proof: null }, LIFE, { mined: inBlock(HEAD - 22) }),
  sent(904, { kind: 'cooperative-settle', token: MINUTE, terms: { p1: SELF, balance1: 4n, p2: GUEST, balance2: 6n, validUntil: HEAD }, signatures: [NO_SIGNATURE, NO_SIGNATURE] }, { channel: hash(5), epoch: 2n }, { mined: inBlock(HEAD - 23) }),
  sent(905, deposit, LIFE, { step: 1, steps: 2, mined: inBlock(HEAD - 24) }),
  sent(906, deposit, LIFE, { steps: 2, mined: inBlock(HEAD - 24) }),
]

function stateOf(id: Hash): ChannelState | null {
  const view = CHANNELS.find((one) => one.id === id)
  if (view === undefined) return null
  const { own, partner } = view
  return openChannel({
    domain: { profile: 'v2', chainId: 1n, contract: CONTRACT }, token: view.token, own: own.address, partner: partner.address, key: { channel: id, epoch: view.epoch }, settleTimeout: view.settleTimeout, role: view.role,
    ownDeposit: own.deposit, partnerDeposit: partner.deposit, openBlock: view.openBlock,
  })
}

export function scriptedPrograms(asked: string[] = []): ScriptedPrograms {
  let set: ReturnType<ProgramDesk['fees']>['set'] = { account: null, tokens: new Map(), channels: new Map() }
  return {
    asked,
    channel: stateOf,
    waiting(token, secretHash) {
      if (token !== MINUTE || secretHash !== WAITING) return null
      const held = { channel: hash(1), epoch: 1n, partner: GUEST, lock: { expiration: HEAD + 40, amount: 30n, secretHash } }
      return {
        payment: {
          role: 'target', id: 't', token, secretHash, secret: null, registeredBlock: null, isEnded: false, initiator: GUEST, amount: 30n, paymentId: null, data: new Uint8Array(0), parts: [{ held, phase: 'held' }], kind: 'asks',
          isComplete: true, isShown: false, startedBlock: HEAD, outcome: 'open',
        },
        block: HEAD,
      }
    },
    monitoring(id: Hash, thirdParty: Address) {
      asked.push(`monitoring ${id} ${thirdParty}`)
      const state = stateOf(id)
      if (state === null) throw new MeshBoxError('not-found', 'there is no such channel', { code: 'photon-channel', field: 'channel', value: id })
      const nothing = hexOf(new Uint8Array(32))
      return {
        channel_identifier: id, open_block_number: state.key.epoch, token_address: state.token, partner_address: state.partner.address,
        update_transfer: { nonce: 0n, transfer_amount: null, locksroot: nothing, extra_hash: nothing, closing_signature: null, non_closing_signature: null }, unlocks: null, punishes: null,
      }
    },
    transactions: () => TRANSACTIONS,
    async balanceOf(owner, token) {
      if (token !== null) throw new MeshBoxError('conflict', 'not offered', { code: 'photon-2999' })
      return owner === SELF ? 2_500_000_000_000_000_000n : 0n
    },
    sendCoin: async (to, amountWei) => void asked.push(`send-coin ${to} ${amountWei}`),
    fees: () => ({ set, configured: { constant: 2n, ppm: 3000, curve: [0, 0, 0, 0, 0] } }),
    async setFees(settings) {
      asked.push('set-fees')
      set = settings
    },
    setDirectOnly: (isOn) => void asked.push(`direct-only ${isOn}`),
    prepareUpdate: () => void asked.push('prepare-update'),
    stop: async () => void asked.push('stop'),
  }
}
