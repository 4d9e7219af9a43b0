/**
 * Two ends, a bad link, crashes, restored old copies, a chain and a cheat, by seed. PHOTON_CHANNEL_SEEDS=n runs more.
 * What must hold: one packet per nonce and signer; no money appears; at the end the contract pays each honest end at
 * least what its machine had called guaranteed.
 */
import { describe, expect, it } from 'vitest'
import { settlementOf } from '../../../src/photon/channel/index.ts'
import type { ChannelSide } from '../../../src/photon/channel/index.ts'
import { Town, endInDispute } from './town.ts'

const SEEDS = Number(process.env['PHOTON_CHANNEL_SEEDS'] ?? 400)
const STEPS = 150

function run(seed: number): Town {
  const town = new Town(seed, seed % 4 === 1 ? 'v1' : 'v2')
  for (let step = 0; step < STEPS; step++) {
    town.step()
    town.check()
  }
  return town
}

function addUp(total: Record<string, number>, counts: Record<string, number>): void {
  for (const [what, count] of Object.entries(counts)) total[what] = (total[what] ?? 0) + count
}

describe('two machines over a bad link', () => {
  const total: Record<string, number> = {}

  it('keep their promises against a cheat', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const town = run(seed)
      const cheat = seed % 3 === 0 ? null : town.nodes[seed % 2 === 0 ? 0 : 1]
      const { promised } = endInDispute(town, cheat)
      const { paid } = town.chain
      expect(town.chain.state, `seed ${seed}`).toBe('settled')
      for (const node of town.nodes) {
        if (node === cheat || node.hasForgotten) continue
        expect((paid[node.address] ?? 0n) >= (promised[node.address] ?? 0n), `seed ${seed}: ${node.address} got ${paid[node.address]} of ${promised[node.address]}`).toBe(true)
      }
      addUp(total, town.counts)
    }
  })

  it('have done all there is to do on the way', () => {
    for (const what of ['direct', 'locked', 'unlock', 'expired', 'disposed', 'disposed-response', 'withdraw-response', 'settle-response', 'stream', 'crash', 'restore', 'cheat unlocked', 'fact must-resend', 'fact must-return', 'fact own-adopted', 'fact in-sync', 'fact withdraw-agreed', 'fact settle-agreed'])
      expect(total[what] ?? 0, what).toBeGreaterThan(0)
  })

  it('agree to the unit when the link is good again', () => {
    for (let seed = 1; seed <= SEEDS / 4; seed++) {
      const town = run(seed)
      town.makePeace()
      // After a restore the forgotten vouchers may keep the two apart: the chain decides then (above).
      if (town.nodes.some((node) => node.state.phase !== 'opened' || node.wasRestored)) continue
      const [a, b] = [town.nodes[0].state, town.nodes[1].state]
      expect(comparable(a.own), `seed ${seed}`).toEqual(comparable(b.partner))
      expect(comparable(b.own), `seed ${seed}`).toEqual(comparable(a.partner))
      expect(settlementOf(a.own, a.partner).reduce((x, y) => x + y), `seed ${seed}`).toBe(town.chain.pot())
      peaceful++
    }
    expect(peaceful).toBeGreaterThan(SEEDS / 10)
  })
})

let peaceful = 0
function comparable({ deposit, withdrawn, claimed, nonce, locked, locksroot, proof }: ChannelSide) {
  return { deposit, withdrawn, claimed, nonce, locked, locksroot, hash: proof?.extra }
}
