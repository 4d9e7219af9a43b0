import { describe, expect, it } from 'vitest'
import type { ChainPageView } from '../../../src/owner/index.ts'
import { pageOfChain, rewardNotFinalWei, secondsToOwnSlot } from '../../../src/spectrum/rpc/index.ts'
import type { ChainPage } from '../../../src/spectrum/rpc/index.ts'
import { DEVNET_SIGNER, devnetBlock } from '../spectrum/devnet.ts'
import { createWorld } from './memory-chain.ts'

/** The dashboard's type takes it as it is. */
const shown = (page: ChainPage): Pick<ChainPageView, keyof ChainPage> => page

describe('the chain’s page', () => {
  it('says where the chain stands and who agrees', () => {
    const { chain } = createWorld()
    const source = (id: string, kind: string, headNumber: number | null, agrees: boolean | null) => ({ id, kind, headHash: null, headNumber, agrees })
    const page = shown(pageOfChain(chain, { state: 'live', headAgeSeconds: 3, sources: [source('a', 'eth63', 31, true), source('b', 'rpc', null, null)], agreeing: 1, banned: 2 }, DEVNET_SIGNER))
    expect(page).toMatchObject({
      network: { name: 'devnet', chainId: '4', isCommunity: false, blockSeconds: 2 },
      state: 'live',
      head: { number: 30, hash: devnetBlock(30).hash, timeWallMs: devnetBlock(30).header.timeSeconds * 1000, signer: DEVNET_SIGNER },
      safe: { number: 13 },
      final: null,
      highestNumber: 31,
      agreeing: 1,
      banned: 2,
      sources: [{ id: 'a', kind: 'eth63', headNumber: 31, agrees: true }, { id: 'b', kind: 'rpc', headNumber: null, agrees: null }],
    })
    expect(page.round.slots.map((slot) => slot.number)).toEqual([30, 31, 32])
  })

  it('counts the seconds to the own slot, and what is not final', () => {
    const { chain } = createWorld()
    const status = { state: 'alone', headAgeSeconds: 1, sources: [], agreeing: 0, banned: 0 } as const
    expect(secondsToOwnSlot(pageOfChain(chain, status, null))).toBeNull()
    expect(secondsToOwnSlot(pageOfChain(chain, status, '0x00000000000000000000000000000000000000a1'))).toBe(2 * 2 - 1)
    expect(rewardNotFinalWei(chain, DEVNET_SIGNER)).toBe(0n) // before SIP100 nothing is paid
    const rewarded = { ...chain, network: { ...chain.network, forks: { ...chain.network.forks, sip100: 1 } }, head: () => chain.head(), final: () => null, block: (hash: `0x${string}`) => chain.block(hash) }
    expect(rewardNotFinalWei(rewarded, DEVNET_SIGNER)).toBe(6n * 35n * 10n ** 18n) // blocks 25 to 30: the tree of this chain begins there
    expect(rewardNotFinalWei(rewarded, '0x00000000000000000000000000000000000000a1')).toBe(0n)
  })
})
