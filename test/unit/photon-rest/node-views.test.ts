/** Channels that the real machine has made, as clients see them. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bytesOf, hexOf, utf8 } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/base/index.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { channelMachine, openChannel, orderClose } from '../../../src/photon/channel/index.ts'
import type { ChannelState } from '../../../src/photon/channel/index.ts'
import { STATUS } from '../../../src/photon/payment/index.ts'
import type { InitiatorState, TargetState } from '../../../src/photon/payment/index.ts'
import { lockHash } from '../../../src/photon/wire/index.ts'
import { channelDetailView, channelView, dataText, pendingReceiptView, sentTransferView } from '../../../src/photon/rest/index.ts'
import { CHANNEL, CONTRACT, PARTNER, SECRET, SELF, TOKEN } from './memory-node.ts'

const curve = loadSecp256k1(null)
const keccak = (data: Uint8Array): Uint8Array => curve.keccak256(data)
const machine = channelMachine(keccak)
const moment = { block: 1000, isFrozen: false, sinceFreezeMs: 0 }
const secretHash: Hash = hexOf(createHash('sha256').update(bytesOf(SECRET)).digest())
const lock = { expiration: 1400, amount: 10n, secretHash }
const open = openChannel({
  domain: { profile: 'v2', chainId: 1n, contract: CONTRACT }, token: TOKEN, own: SELF, partner: PARTNER, key: { channel: CHANNEL, epoch: 2n }, settleTimeout: 600, role: 'core', ownDeposit: 100n, partnerDeposit: 50n, openBlock: 900,
})

function after<T extends { readonly ok: true; readonly state: ChannelState }>(outcome: T | { readonly ok: false; readonly reason: string }): ChannelState {
  if (!outcome.ok) throw new Error(outcome.reason)
  return outcome.state
}

describe('channels', () => {
  it('a payment moves the balance, a lock is still counted to who gave it', () => {
    expect(channelView(open, moment, 30)).toEqual({
      channel: CHANNEL, epoch: 2n, partner: PARTNER, token: TOKEN, balance: 100n, partnerBalance: 50n, locked: 0n, partnerLocked: 0n, state: 'opened', settleTimeout: 600, revealTimeout: 30,
    })
    const paid = after(machine.sendDirect(open, { amount: 20n, paymentId: null, data: new Uint8Array(0) }, moment))
    expect(channelView(paid, moment, 30)).toMatchObject({ balance: 80n, partnerBalance: 70n, locked: 0n })
    const locked = after(machine.sendLocked(paid, { lock, amount: 10n, fee: 0n, initiator: SELF, target: PARTNER, path: [], paymentId: null }, moment))
    expect(channelDetailView(locked, moment, 30)).toMatchObject({
      balance: 80n, partnerBalance: 70n, locked: 10n, partnerLocked: 0n, closedBlock: 0, settledBlock: 0, partnerLocks: [], ownProof: null,
      ownLocks: [{ lock, lockHash: lockHash(keccak, lock), secret: null, isRegistered: false }],
    })
    expect(channelView(after(orderClose(paid, 'asked')), moment, 30).state).toBe('closing')
  })
})

describe('payments', () => {
  const held = { channel: CHANNEL, epoch: 2n, partner: PARTNER, lock }
  const common = { token: TOKEN, secretHash, secret: null, registeredBlock: null, isEnded: false }
  const target: TargetState = {
    ...common, role: 'target', id: 't', initiator: PARTNER, amount: 30n, paymentId: null, data: utf8('x'), parts: [{ held, phase: 'held' }], kind: 'asks', isComplete: true, isShown: false, startedBlock: 1000, outcome: 'open',
  }

  it('one that waits for its secret, with the blocks that are left', () => {
    expect(pendingReceiptView(target, SELF, 1100)).toEqual({ initiator: PARTNER, target: SELF, token: TOKEN, amount: 30n, secret: null, secretHash, blocksLeft: 300, fee: 0n, isDirect: false })
    expect(pendingReceiptView(target, SELF, 5000)?.blocksLeft).toBe(0)
    expect(pendingReceiptView({ ...target, outcome: 'received' }, SELF, 1100)).toBeNull()
    expect(pendingReceiptView({ ...target, parts: [] }, SELF, 1100)).toBeNull()
  })

  it('one that was sent', () => {
    const sent: InitiatorState = {
      ...common, role: 'initiator', id: 'i', target: PARTNER, amount: 30n, maxFee: 1n, maxParts: 1, data: utf8('hello'), paymentId: null, status: STATUS.failed, isRevealAllowed: true, isAsked: false, isRevealed: false, swapId: null, expirationLimit: null,
      parts: [{ path: { hops: [], amount: 30n, fee: 0n }, held, phase: 'returned' }], routes: [], isSearching: false, searchedBlock: 0, searches: 1, freshRetries: 0, domain: open.domain, startedBlock: 1000, failure: { code: 3003, reason: 'no route' },
    }
    expect(sentTransferView(sent, 5, 6)).toEqual({
      key: 'i', block: 1000, token: TOKEN, secretHash, target: PARTNER, amount: 30n, data: 'hello', isDirect: false, sendingSeconds: 5, finishSeconds: 6, status: 'failed', statusMessage: 'no route', channel: CHANNEL, epoch: 2n,
    })
    expect(sentTransferView({ ...sent, status: STATUS.canCancel, failure: null, parts: [] }, 5, 0)).toMatchObject({ status: 'can-cancel', statusMessage: '', epoch: 0n })
  })

  it('data that is no text is shown as hex', () => {
    expect([dataText(utf8('grüß')), dataText(Uint8Array.of(0xff, 0))]).toEqual(['grüß', '0xff00'])
  })
})
