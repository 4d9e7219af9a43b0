/** A community's chain with one signer, whole and real, behind the JSON-RPC's door; simulated time runs as fast as the machine does. */
import { onTestFinished } from 'vitest'
import { parseEther } from 'ethers'
import { silentLog } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { COMMUNITY_ADDRESSES, newCommunity } from '../../../src/spectrum/community/index.ts'
import { GUEST_POLICY, OWNER_POLICY, Rpc } from '../../../src/spectrum/rpc/index.ts'
import type { RpcPorts } from '../../../src/spectrum/rpc/index.ts'
import { RpcServer } from '../../../src/spectrum/rpc/io/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import { RealBox } from '../spectrum-seal/real-box.ts'

export const LEADER = person(0)
/** Has all the money there is. */
export const OWNER = person(21)
export const CHAIN_ID = 777_003n
export const TOKEN = COMMUNITY_ADDRESSES.CommunityToken
const START_SECONDS = 1_700_000_000
/** How much of the box's own time goes by in one turn of the test. */
const STEP_MS = 250

export interface Village {
  readonly url: string
  readonly box: RealBox
  readonly guests: Rpc
  /** A minute passes, then the village's clock stands: for what depends on how many ask within a second. */
  readonly standStill: () => void
}

/** Call it in a test: it closes everything behind it. `origins`: pages that may ask. */
export async function openVillage(origins: readonly string[] = []): Promise<Village> {
  const { network } = newCommunity(native, {
    name: 'village', chainId: CHAIN_ID, periodSeconds: 2, epochBlocks: 50, signerLimit: 1, startSeconds: START_SECONDS - 10, owner: OWNER.address, leaders: [LEADER.address], miners: [], minDepositWei: 10n ** 18n,
    halvingBlocks: 1000, withdrawWaitBlocks: 100, allocations: [{ address: OWNER.address, balanceWei: parseEther('100') }], token: { name: 'Village Coin', symbol: 'VIL', decimals: 18, supply: parseEther('1000'), holder: OWNER.address },
  })
  const time = new FakeTime()
  time.trusted = true
  const box = new RealBox({ who: LEADER, network, time, wallet: OWNER, coinbase: OWNER.address, onBlock: () => undefined, onTransaction: () => undefined })
  await box.open()
  box.startSealing()
  const ports: RpcPorts = {
    curve: native, chain: box.chain, state: box.state, executor: box.executor, pool: box.pool, blocks: null,
    status: () => ({ state: 'alone', headAgeSeconds: 1, sources: [], agreeing: 0, banned: 0 }),
    miner: () => ({ address: LEADER.address, coinbase: OWNER.address, isSealing: true }),
    gasPriceWei: () => 18_000_000_000n,
    version: '0.1.0', clock: time, timers: systemTimers, randomness: randomStream('wallet'), log: silentLog,
  }
  const rpc = new Rpc(ports, OWNER_POLICY)
  const guests = new Rpc(ports, GUEST_POLICY)
  const server = new RpcServer({ rpc, address: '127.0.0.1', port: 0, names: { hosts: [], origins, allowsExtensions: false }, admits: () => true, log: silentLog })
  const { port } = await server.start()
  const clock = setInterval(() => time.advance(STEP_MS), 5)
  onTestFinished(async () => {
    clearInterval(clock)
    await server.stop()
    rpc.close()
    guests.close()
    await box.close()
  })
  const standStill = (): void => {
    clearInterval(clock)
    time.advance(60_000)
  }
  return { url: `http://127.0.0.1:${port}`, box, guests, standStill }
}
