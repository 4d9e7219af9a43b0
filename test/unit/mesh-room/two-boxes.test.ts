/** Two boxes as the service starts them, over real libp2p on this machine: a code, a member, the chain's file, a word that reaches the other. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import { loadConfig } from '../../../src/config/index.ts'
import { openIdentity } from '../../../src/identity/index.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import { startMesh } from '../../../src/main/mesh.ts'
import type { RunningMesh } from '../../../src/main/mesh.ts'
import { PhotonDoor } from '../../../src/main/photon-door.ts'
import { chainFileHash, codeParts, invitationKeys, readInvitation } from '../../../src/mesh/index.ts'
import { meshMigrations } from '../../../src/mesh/tables/index.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { PeerDoor } from '../../../src/photon/index.ts'
import { createPeerBinding } from '../../../src/photon/node/index.ts'
import type { AccountSigner } from '../../../src/photon/node/index.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { peer } from '../../../scripts/bundle/programs.ts'
import { freePort } from '../../support/free-port.ts'

const curve = loadSecp256k1(null)
const keys = invitationKeys(curve)
const clock = new SystemClock('never')
const CONTRACT = `0x${'c0'.repeat(20)}` as const
const TOKEN = `0x${'70'.repeat(20)}` as const
const CHAIN = JSON.stringify({ chain: 'x'.repeat(9000) })
const WIRELESS = "config wifi-device 'radio0'\n option channel '36'\nconfig wifi-iface 'meshbox_mesh'\n option device 'radio0'\n option mesh_id 'alma'\n option key 'correct-horse'\n"
let folder: string
const undo: (() => Promise<void>)[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-mesh-'))
  writeFileSync(join(folder, 'wireless'), WIRELESS)
  await build({ ...peer, entryPoints: ['src/main/peer-file.ts'], outfile: join(folder, 'peer.cjs') })
})
afterAll(async () => {
  for (const each of undo.splice(0).reverse()) await each()
  rmSync(folder, { recursive: true, force: true })
})

interface Started {
  readonly address: `0x${string}`
  readonly account: `0x${string}`
  readonly secret: Uint8Array
  readonly dataDir: string
  readonly mesh: RunningMesh
  readonly store: Store
}

const addressIn = (text: string): `0x${string}` => `0x${text.slice(2).toLowerCase()}`
const dataDirOf = (name: string): string => join(folder, name)

async function identityOf(name: string): Promise<Awaited<ReturnType<typeof openIdentity>>> {
  mkdirSync(dataDirOf(name), { recursive: true })
  let next = createHash('sha256').update(name).digest()
  return openIdentity({ dataDir: dataDirOf(name), randomness: { bytes: (length) => ((next = createHash('sha256').update(next).digest()), new Uint8Array(next.subarray(0, length))) }, log: silentLog })
}

async function started(name: string, port: number, community: string, others: readonly string[], chainFile: string, isPaying = false): Promise<Started> {
  const identity = await identityOf(name)
  const dataDir = dataDirOf(name)
  const store = openStore({ path: join(dataDir, 'meshbox.sqlite'), migrations: [...ledgerMigrations, ...meshMigrations], log: silentLog })
  const config = loadConfig(
    [
      `config meshbox 'main'\n option name '${name}'\n option data_dir '${dataDir}'${isPaying ? "\n list roles 'light'\n list roles 'photon'\n list roles 'relay'" : ''}`,
      ...(isPaying ? [`config photon 'photon'\n option contract '${CONTRACT}'\n list tokens '${TOKEN}:SMT:18'`] : []),
      `config chain 'chain'\n option network '${chainFile}'`,
      `config mesh 'mesh'\n option community '${community}'\n option interface 'mbtest0'\n option ula_prefix 'fd12:3456:789a::/64'${isPaying ? `\n option token '${TOKEN}'\n option price_per_mib '1'` : ''}`,
      ...others.map((other) => ` list peers '${other}'`),
    ].join('\n'),
    'box',
  )
  // A port of the kernel's choice, which may be one that the firewall's rules leave out.
  const ready = { ...config, mesh: { ...config.mesh, listenPort: port } }
  const mesh = await startMesh({ config: ready, inForce: () => ready, store, ledger: createLedger({ shares: () => [] }), identity, curve, clock, log: silentLog, folder, wirelessFile: join(folder, 'wireless'), spectrum: null, walking: null, meetHotspot: () => undefined })
  undo.push(async () => {
    await mesh.stop()
    await store.close()
  })
  return { address: addressIn(identity.address), account: addressIn(identity.addressFor('photon-account')), secret: identity.deriveSecret('photon-account'), dataDir, mesh, store }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`not so: ${what}`)
}

it('a box joins by a code over libp2p, and is expelled over it', async () => {
  const [founderPort, newPort] = [await freePort(), await freePort()]
  const founderAddress = `0x${(await identityOf('founder')).address.slice(2).toLowerCase()}` as const
  const newAddress = `0x${(await identityOf('newcomer')).address.slice(2).toLowerCase()}` as const
  const at = (address: string, port: number): string => `${address}@/ip6/::1/tcp/${port}`

  const founderChain = join(dataDirOf('founder'), 'chain.json')
  writeFileSync(founderChain, CHAIN)
  const founder = await started('founder', founderPort, 'own', [at(newAddress, newPort)], founderChain)
  expect(founder.mesh.desk.status()).toMatchObject({ isOurs: true, standing: 'admitted', self: founderAddress })
  expect(founder.mesh.desk.status().alarms.map(({ code }) => code)).toContain('batman-adv') // there is no such interface

  const { code } = await founder.mesh.desk.invite({ uses: 1, validMs: null })
  const facts = readInvitation(keys.documentsOf(new Uint8Array(32).fill(1)), keys, codeParts(keys, code))
  expect(facts).toMatchObject({ meshId: 'alma', meshChannel: 36, meshSecret: 'correct-horse', ulaPrefix: 'fd12:3456:789a::/64', chainFileHash: chainFileHash((bytes) => curve.keccak256(bytes), CHAIN) })
  writeFileSync(join(dataDirOf('newcomer'), 'mesh-code'), `${code}\n`)

  const newChain = join(dataDirOf('newcomer'), 'chain.json')
  const newcomer = await started('newcomer', newPort, founderAddress, [at(founderAddress, founderPort)], newChain)
  await until('the newcomer is admitted', () => newcomer.mesh.desk.status().standing === 'admitted')
  // Both dial: one of two connections at one time gives way, and between them there may be none.
  await until('the founder sees it so', () => founder.mesh.desk.peers().some(({ box, name, standing, isConnected }) => box === newAddress && name === 'newcomer' && standing === 'admitted' && isConnected))
  expect(founder.mesh.desk.invitations()).toEqual([])
  await until('the chain’s file came', () => existsSync(newChain))
  expect(readFileSync(newChain, 'utf8')).toBe(CHAIN)

  await founder.mesh.desk.expel(newAddress)
  await until('the newcomer is cut off', () => founder.mesh.desk.peers().every(({ box, isConnected }) => box !== newAddress || !isConnected))
  expect(founder.mesh.desk.peers().find(({ box }) => box === newAddress)?.standing).toBe('expelled')
})

/** The channels' door of a box that pays, as its channels' room opens it. Nobody's address is known. */
async function doorOf({ account, secret, mesh }: Started): Promise<PeerDoor> {
  const signer: AccountSigner = { account, sign: (digests) => curve.signBatch(digests, secret), signInPool: (digests) => curve.signBatchInPool(digests, secret) }
  const binding = createPeerBinding({ digests: createDigests({ profile: 'v2', chainId: 1n, contract: CONTRACT }, (bytes) => curve.keccak256(bytes)), signer, secp256k1: curve, issuedSeconds: () => 0 })
  const terms = { account, binding, maxPeers: 8, keeps: () => true }
  const own = new PhotonDoor({ ...terms, file: '', seed: secret, listen: null, guestInterface: null, clock, timers: systemTimers, log: silentLog })
  if (mesh.photon === null) throw new Error('no payments')
  const door = mesh.photon.door(terms, own)
  undo.push(() => door.close())
  await door.start()
  return door
}

it('accounts of two boxes meet over the mesh when both are members, and not before or after', async () => {
  const [founderPort, newPort] = [await freePort(), await freePort()]
  const [founderAddress, newAddress] = [addressIn((await identityOf('paying founder')).address), addressIn((await identityOf('paying newcomer')).address)]
  const founderChain = join(dataDirOf('paying founder'), 'chain.json')
  writeFileSync(founderChain, CHAIN)
  const founder = await started('paying founder', founderPort, 'own', [`${newAddress}@/ip6/::1/tcp/${newPort}`], founderChain, true)
  const newcomer = await started('paying newcomer', newPort, founderAddress, [`${founderAddress}@/ip6/::1/tcp/${founderPort}`], join(dataDirOf('paying newcomer'), 'chain.json'), true)
  const [ours, theirs] = [await doorOf(founder), await doorOf(newcomer)]
  const [met, left, said]: [string[], string[], string[]] = [[], [], []]
  ours.onConnected((account) => met.push(account))
  ours.onDisconnected((account) => left.push(account))
  theirs.onFrame((from, frame) => said.push(`${from} ${frame[0]}`))
  await until('they talk', () => founder.mesh.desk.peers().some(({ box, isConnected }) => box === newAddress && isConnected) && newcomer.mesh.desk.peers().some(({ isConnected }) => isConnected))
  // Strangers talk, and have no accounts with each other.
  expect([met, ours.send(newcomer.account, Uint8Array.of(7))]).toEqual([[], false])
  const { code } = await founder.mesh.desk.invite({ uses: 1, validMs: null })
  await newcomer.mesh.stop()
  await newcomer.store.close()
  undo.splice(undo.length - 3, 3)
  undo.push(() => ours.close())
  writeFileSync(join(newcomer.dataDir, 'mesh-code'), `${code}\n`)
  const again = await started('paying newcomer', newPort, founderAddress, [`${founderAddress}@/ip6/::1/tcp/${founderPort}`], join(dataDirOf('paying newcomer'), 'chain.json'), true)
  const door = await doorOf(again)
  door.onFrame((from, frame) => said.push(`${from} ${frame[0]}`))
  await until('their accounts meet', () => met.includes(again.account) && door.send(founder.account, Uint8Array.of(1)))
  expect(ours.send(again.account, Uint8Array.of(7))).toBe(true)
  await until('a frame arrives', () => said.includes(`${founder.account} 7`))

  // What carrying needs of the kernel is not there on this machine: it is said, and prices are there all the same.
  expect(again.mesh.desk.status().alarms.map(({ text }) => text).join()).toMatch(/counting of what is carried: /)
  expect(again.mesh.desk.prices()).toMatchObject({ token: TOKEN, own: { unitsPerMiB: null, ownUnitsPerMiB: 10n ** 18n } })

  await founder.mesh.desk.expel(newAddress)
  await until('who is expelled has no account here', () => left.includes(again.account))
  expect(ours.send(again.account, Uint8Array.of(8))).toBe(false)
})
