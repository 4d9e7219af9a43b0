/**
 * What a whole box with a chain takes of memory: the bundled service, hotspot included, once sealing a community's chain
 * by itself and once only verifying it over eth/63 from the first. Both run at once; nobody uses them.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { V8_FLAGS } from '../../scripts/bundle/start-scripts.ts'
import { bundle } from '../../scripts/bundle.ts'
import { silentLog } from '../../src/base/index.ts'
import type { Address } from '../../src/base/index.ts'
import { systemRandomness } from '../../src/base/io/system.ts'
import { editUci } from '../../src/config/index.ts'
import { openIdentity } from '../../src/identity/index.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import { encodeJoinFile, newCommunity } from '../../src/spectrum/community/index.ts'
import { formatEnode } from '../../src/spectrum/source/index.ts'
import { freePort } from '../support/free-port.ts'
import { configText, rollup } from './memory.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { summary } from './measure.ts'

/** Longer than the half minute after which a box that only verifies ends its executor's thread. */
const SETTLE_MS = 45_000
const LOOK_MS = 3000
const LOOKS = 5
/** In that time; fewer and nothing was sealed or followed. */
const LEAST_BLOCKS = 20
const AIMS = { light: 90, sealer: 160 } as const
type Role = keyof typeof AIMS

export const spectrumMemory: Bench = { name: 'spectrum-memory', run }

async function run(place: BenchPlace): Promise<BenchRow[]> {
  const folder = join(place.dir, 'bundle')
  await bundle({ out: folder, say: () => undefined })
  const curve = loadSecp256k1(null)
  const dirs: Record<Role, string> = { sealer: join(place.dir, 'sealer'), light: join(place.dir, 'light') }
  for (const dir of Object.values(dirs)) mkdirSync(join(dir, 'data'), { recursive: true, mode: 0o700 })
  const identity = await openIdentity({ dataDir: join(dirs.sealer, 'data'), randomness: systemRandomness, log: silentLog })
  const miner = identity.addressFor('chain-miner').toLowerCase() as Address
  const tcpPort = await freePort()
  const community = newCommunity(curve, {
    ...{ name: 'village', chainId: 777_006n, periodSeconds: 2, epochBlocks: 50, signerLimit: 1, startSeconds: Math.floor(Date.now() / 1000) - 60, owner: miner },
    ...{ leaders: [miner], miners: [], minDepositWei: 1000n, halvingBlocks: 1000, withdrawWaitBlocks: 10, allocations: [], token: null },
  })
  const network = join(place.dir, 'village.json')
  writeFileSync(network, encodeJoinFile(curve, { community, bootnodes: [], staticPeers: [], checkpointKeys: [] }))
  const enode = formatEnode({ nodeId: curve.publicKeyOf(identity.deriveSecret('chain-node')).subarray(1), address: '127.0.0.1', tcpPort, udpPort: tcpPort })
  const chain = { sealer: `\toption listen_address '127.0.0.1'\n\toption listen_port '${tcpPort}'\n\toption coinbase '${miner}'\n`, light: `\tlist peers '${enode}'\n` }
  const roles = ['sealer', 'light'] as const
  const measured = await Promise.all(
    roles.map(async (role) => {
      const config = join(dirs[role], 'meshbox')
      const text = editUci(await configText(dirs[role]), [
        { do: 'set-list', section: { name: 'main' }, option: 'roles', values: ['hotspot', role] },
        { do: 'set-option', section: { name: 'main' }, option: 'clock_trust', value: 'always' },
      ])
      writeFileSync(config, `${text}\nconfig chain 'chain'\n\toption network '${network}'\n${chain[role]}`)
      return looks(folder, config, join(dirs[role], 'control.sock'))
    }),
  )
  return roles.map((role, index) => {
    const ours = summary(measured[index] ?? [])
    return { name: `chain: RSS of the whole service, hotspot and ${role}`, unit: 'MiB', ours, aim: { text: `≤ ${AIMS[role]}`, met: ours.p50 <= AIMS[role] } }
  })
}

/** Mebibytes resident, looked at several times once the service has settled, of a box that has the chain. */
async function looks(folder: string, config: string, socket: string): Promise<number[]> {
  const env = { ...process.env, MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2' }
  const child = spawn(process.execPath, [...V8_FLAGS, join(folder, 'meshboxd.cjs'), '--config', config], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)))
  const ended = new Promise((resolve) => child.on('close', resolve))
  const wait = (ms: number): Promise<unknown> => Promise.race([ended, new Promise((resolve) => setTimeout(resolve, ms))])
  const found: number[] = []
  await wait(SETTLE_MS)
  while (child.exitCode === null && found.length < LOOKS) {
    found.push(rollup(child.pid ?? 0).rssMib)
    await wait(LOOK_MS)
  }
  const status = child.exitCode === null ? execFileSync(process.execPath, [join(folder, 'meshbox-cli.cjs'), 'chain', 'status', '--json', '--socket', socket], { encoding: 'utf8' }) : '{}'
  child.kill('SIGTERM')
  await ended
  const { head } = JSON.parse(status) as { head?: { number: number } }
  if (found.length < LOOKS || head === undefined || head.number < LEAST_BLOCKS) throw new Error(`the service has no chain (block ${head?.number}): ${log}`)
  return found
}
