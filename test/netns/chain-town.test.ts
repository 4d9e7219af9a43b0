/**
 * Five boxes as five processes keep one chain over real eth/63 on loopback: they take turns, one is killed and
 * skipped, it comes back and catches up; a sixth box that only verifies answers wallets with what it proved.
 */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JsonRpcProvider, Wallet, parseEther } from 'ethers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { systemRandomness } from '../../src/base/io/system.ts'
import { openIdentity } from '../../src/identity/index.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import { encodeJoinFile, newCommunity } from '../../src/spectrum/community/index.ts'
import type { Address } from '../../src/spectrum/index.ts'
import { formatEnode } from '../../src/spectrum/source/index.ts'
import { thisMachine } from '../support/netns.ts'
import { boxFiles, startService, waitFor, type BoxFiles, type Service } from '../support/town-services.ts'

const CHAIN_ID = 777_005
const PERIOD_SECONDS = 2
const SEALERS = 5
const RICH = Wallet.createRandom()
const POOR = Wallet.createRandom().address
const curve = loadSecp256k1(null)
const folder = mkdtempSync(join(tmpdir(), 'meshbox-chain-town-'))

interface TownBox {
  readonly files: BoxFiles
  readonly coinbase: Address
  readonly rpc: JsonRpcProvider
  service: Service | null
}
const boxes: TownBox[] = []

/** Free now, and taken a moment later by a box: the kernel does not give it to somebody else so soon. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

beforeAll(async () => {
  const made = []
  for (let number = 0; number <= SEALERS; number++) {
    const dir = join(folder, `box${number}`)
    mkdirSync(dir, { recursive: true })
    const files = boxFiles(dir)
    const identity = await openIdentity({ dataDir: files.dataDir, randomness: systemRandomness, log: silentLog })
    const [p2p, rpc] = [await freePort(), await freePort()]
    const nodeId = curve.publicKeyOf(identity.deriveSecret('chain-node')).subarray(1)
    made.push({ files, p2p, rpc, miner: identity.addressFor('chain-miner').toLowerCase() as Address, coinbase: Wallet.createRandom().address.toLowerCase() as Address, enode: formatEnode({ nodeId, address: '127.0.0.1', tcpPort: p2p, udpPort: p2p }) })
  }
  const sealers = made.slice(0, SEALERS)
  const miners = sealers.map(({ miner }) => miner)
  const community = newCommunity(curve, {
    name: 'five-boxes',
    chainId: BigInt(CHAIN_ID),
    periodSeconds: PERIOD_SECONDS,
    epochBlocks: 20,
    signerLimit: 1,
    startSeconds: Math.floor(Date.now() / 1000) - 60,
    owner: miners[0] as Address,
    leaders: miners,
    miners: [],
    minDepositWei: 1000n,
    halvingBlocks: 1000,
    withdrawWaitBlocks: 10,
    allocations: [{ address: RICH.address.toLowerCase() as Address, balanceWei: parseEther('100') }],
    token: null,
  })
  const join_ = join(folder, 'five.json')
  writeFileSync(join_, encodeJoinFile(curve, { community, bootnodes: [], staticPeers: [], checkpointKeys: [] }))
  for (const [number, one] of made.entries()) {
    const isSealer = number < SEALERS
    writeFileSync(
      one.files.config,
      [
        "config meshbox 'main'",
        `\toption data_dir '${one.files.dataDir}'`,
        `\toption control_socket '${one.files.socket}'`,
        "\toption log_style 'time'",
        "\toption clock_trust 'always'",
        `\tlist roles '${isSealer ? 'sealer' : 'light'}'`,
        "config owner 'owner'",
        `\toption port '${await freePort()}'`,
        "config chain 'chain'",
        `\toption network '${join_}'`,
        ...made.filter((other) => other !== one).slice(0, SEALERS).map(({ enode }) => `\tlist peers '${enode}'`),
        "\toption listen_address '127.0.0.1'",
        `\toption listen_port '${one.p2p}'`,
        "\toption rpc_address '127.0.0.1'",
        `\toption rpc_port '${one.rpc}'`,
        ...(isSealer ? [`\toption coinbase '${one.coinbase}'`] : []),
        '',
      ].join('\n'),
    )
    const rpc = new JsonRpcProvider(`http://127.0.0.1:${one.rpc}`, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1, pollingInterval: 200 })
    boxes.push({ files: one.files, coinbase: one.coinbase, rpc, service: null })
  }
  for (const box of boxes) box.service = await startService(thisMachine, box.files)
}, 120_000)

afterAll(async () => {
  for (const box of boxes) {
    box.rpc.destroy()
    await box.service?.stop()
  }
  rmSync(folder, { recursive: true, force: true })
})

const serviceAt = (number: number): Service => boxAt(number).service ?? fail()
function fail(): never {
  throw new Error('that box is off')
}
const boxAt = (number: number): TownBox => boxes[number] as TownBox

/** Waits until all of them have this height, and the same block at it. */
async function agreeAt(number: number, who: readonly TownBox[]): Promise<void> {
  await waitFor(`block ${number} everywhere`, async () => (await Promise.all(who.map((box) => box.rpc.getBlockNumber()))).every((head) => head >= number + 2), 120_000)
  const hashes = await waitFor(
    `one block ${number}`,
    async () => {
      const all = await Promise.all(who.map(async (box) => (await box.rpc.getBlock(number))?.hash))
      return new Set(all).size === 1 && all
    },
    60_000,
  ).catch(async () => Promise.all(who.map(async (box) => (await box.rpc.getBlock(number))?.hash)))
  expect(new Set(hashes).size, hashes.join(' ')).toBe(1)
}

async function coinbases(from: number, to: number): Promise<string[]> {
  const blocks = await Promise.all(Array.from({ length: to - from + 1 }, (_, index) => boxAt(0).rpc.getBlock(from + index)))
  return blocks.map((block) => block?.miner.toLowerCase() ?? '')
}

it('five boxes take turns, and all six have the same chain', async () => {
  await agreeAt(10, boxes)
  expect(new Set(await coinbases(1, 10)).size).toBeGreaterThanOrEqual(4)
})

it('a transfer given to the box that only verifies is sealed by another, and seen everywhere', async () => {
  const light = boxAt(SEALERS)
  const sent = await RICH.connect(light.rpc).sendTransaction({ to: POOR, value: parseEther('3'), type: 0 })
  const receipt = await sent.wait(1, 60_000)
  expect(receipt?.status).toBe(1)
  await agreeAt(receipt?.blockNumber ?? 0, boxes)
  for (const box of boxes) expect(await box.rpc.getBalance(POOR)).toBe(parseEther('3'))
})

it('one that is killed is skipped; it comes back and catches up', async () => {
  const victim = boxAt(2)
  await victim.service?.crash()
  victim.service = null
  const others = boxes.filter((box) => box !== victim)
  const diedAt = await boxAt(0).rpc.getBlockNumber()
  await agreeAt(diedAt + 8, others)
  expect(await coinbases(diedAt + 3, diedAt + 8)).not.toContain(victim.coinbase)
  victim.service = await startService(thisMachine, victim.files)
  await agreeAt(diedAt + 10, boxes)
  const back = await boxAt(0).rpc.getBlockNumber()
  await waitFor('a block of its own', async () => (await coinbases(back, await boxAt(0).rpc.getBlockNumber())).includes(victim.coinbase), 120_000)
})

it('a box whose state file is gone runs the blocks again and seals on', async () => {
  const victim = boxAt(3)
  await victim.service?.stop()
  victim.service = null
  for (const ending of ['', '-wal', '-shm']) rmSync(join(victim.files.dataDir, `chain-state.sqlite${ending}`), { force: true })
  victim.service = await startService(thisMachine, victim.files)
  await waitFor('its state', () => victim.service?.log().includes('the state is here again'), 60_000)
  const back = await boxAt(0).rpc.getBlockNumber()
  await waitFor('a block of its own', async () => (await coinbases(back, await boxAt(0).rpc.getBlockNumber())).includes(victim.coinbase), 120_000)
  expect(await victim.rpc.getBalance(POOR)).toBe(parseEther('3'))
})

it('owners are told why there is nothing to deposit, and that there is nothing to choose', async () => {
  const sealer = serviceAt(0)
  expect(await sealer.cliJson('chain', 'poc', 'status')).toMatchObject({ coinbase: boxAt(0).coinbase, wallet: null, goal: 'none' })
  const refused = await sealer.cli('chain', 'poc', 'deposit')
  expect([refused.code, refused.stderr.includes('whose key this box has not')]).toEqual([1, true])
  expect(await sealer.cliJson('chain', 'branches')).toMatchObject({ branches: [] })
  const adopted = await sealer.cli('chain', 'adopt', `0x${'12'.repeat(32)}`)
  expect(adopted.code).toBe(1)
  const light = await serviceAt(SEALERS).cli('chain', 'poc', 'status')
  expect([light.code, light.stderr.includes('seals no blocks')]).toEqual([1, true])
})
