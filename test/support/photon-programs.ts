/** The desk for the owner's programs over the channels of photon-views.ts: it keeps what it is told. */
import { MeshBoxError, hexOf } from '../../src/base/index.ts'
import type { Address, Hash } from '../../src/base/index.ts'
import { openChannel } from '../../src/photon/channel/index.ts'
import type { ChannelState } from '../../src/photon/channel/index.ts'
import type { ProgramDesk } from '../../src/photon/index.ts'
import { CHANNELS, GUEST, HEAD, MINUTE, SELF, account, hash } from './photon-views.ts'

export interface ScriptedPrograms extends Pick<ProgramDesk, keyof ProgramDesk> {
  /** Orders in words, as they came. */
  readonly asked: string[]
}

const CONTRACT = account(0x99)
/** Of the payment that waits for its secret. */
export const WAITING: Hash = hash(700)

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
