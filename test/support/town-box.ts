/**
 * A box that carries for others and is paid for it: real beacons, libp2p, payment channels, counters and gates, and the book on disk. Not
 * real: the chain, which says of the channels what the plan says. What tells of batman-adv is given: the kernel where there is one, or
 * what stands in for it. Each line on its input is answered with what the box knows: the first entries of its book, or with `after ID` those behind
 * that one. `readmit 0x…`: its owner lets the carriage with that box begin anew.
 */
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { createLog } from '../../src/base/index.ts'
import type { Address } from '../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../src/base/io/system.ts'
import { loadConfig } from '../../src/config/index.ts'
import { createLedger, ledgerMigrations } from '../../src/ledger/index.ts'
import { MeshPhoton } from '../../src/main/mesh-photon.ts'
import { MeshRelay } from '../../src/main/mesh-relay.ts'
import type { MeshRelayParts } from '../../src/main/mesh-relay.ts'
import { PhotonDoor } from '../../src/main/photon-door.ts'
import { createNeighbourhood } from '../../src/mesh/index.ts'
import type { UplinkState } from '../../src/mesh/index.ts'
import { Libp2pWire } from '../../src/mesh/peers/io/libp2p-wire.ts'
import { meshMigrations } from '../../src/mesh/tables/index.ts'
import { loadNfnetlink, loadSecp256k1 } from '../../src/native/index.ts'
import { ChannelPayer } from '../../src/photon/box/channel-payer.ts'
import { Alarms, PaymentModes } from '../../src/photon/box/index.ts'
import { createPeerBinding } from '../../src/photon/node/index.ts'
import type { Path, PathRequest } from '../../src/photon/ports.ts'
import { createDigests } from '../../src/photon/wire/index.ts'
import { openStore } from '../../src/store/index.ts'
import { COMMUNITY, boxOf, keyOf } from '../unit/mesh-peers/boxes.ts'
import { Box, DOMAIN, TOKEN, accountSigner, channelOf, keyOf as accountKeyOf } from '../unit/photon-node/box.ts'

export interface BoxPlan {
  readonly number: number
  readonly dir: string
  /** Options of section mesh. */
  readonly options: Readonly<Record<string, string>>
  readonly hasUplink: boolean
  /** Boxes with which it has a channel, and each side's deposit. */
  readonly channels: Readonly<Record<string, string>>
  /** Boxes over which it pays the last of them by a locked payment (`pay AMOUNT`); each between takes a unit. */
  readonly path?: readonly number[]
}

export interface BoxGround extends Pick<MeshRelayParts, 'view' | 'hardInterfaces' | 'leaving'> {
  /** Files of the addons. */
  readonly addons: { readonly secp256k1: string; readonly nfnetlink: string; readonly sqlite?: string }
}

const PREFIX = 'fd42:0:0:1::/64'
const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))}\n`)

/** Says its addresses when it is up, and answers until its input ends. */
export async function runTownBox(plan: BoxPlan, { view, hardInterfaces, leaving, addons }: BoxGround): Promise<void> {
  const time = Object.assign(new SystemClock('always'), systemTimers)
  const log = createLog({ level: 'info', style: 'time', now: () => Date.now(), write: (line) => void process.stderr.write(`${plan.number} ${line}\n`) })
  const curve = loadSecp256k1(addons.secp256k1)
  const accountOf = (number: number): Address => accountSigner(curve, accountKeyOf(number)).account
  const signer = accountSigner(curve, accountKeyOf(plan.number))
  mkdirSync(plan.dir, { recursive: true })

  const config = loadConfig(
    [
      "config meshbox 'main'\n list roles 'light'\n list roles 'photon'\n list roles 'relay'",
      "config chain 'chain'\n option network 'mainnet'",
      `config photon 'photon'\n option contract '${DOMAIN.contract}'\n list tokens '${TOKEN}:SMT:0'`,
      "config token 'token'\n option symbol 'SMT'\n option decimals '0'",
      `config mesh 'mesh'\n option community 'own'\n option token '${TOKEN}'\n${Object.entries(plan.options).map(([name, value]) => ` option ${name} '${value}'\n`).join('')}`,
    ].join('\n'),
    'town',
  )
  const wire = new Libp2pWire({ seed: keyOf(100 + plan.number), listen: ['/ip6/::/tcp/60404'], maxConnections: 32, onTrouble: () => undefined })
  const { hub, documents } = boxOf({ number: plan.number, wire, time, settings: { meshPrefixes: [PREFIX] }, log, secp256k1: curve })
  const meshPhoton = new MeshPhoton({ hub, peerId: wire.peerId, account: signer.account, isWelcome: () => true, timers: time, log })
  const binding = createPeerBinding({ digests: createDigests(DOMAIN, (bytes) => curve.keccak256(bytes)), signer, secp256k1: curve, issuedSeconds: () => 0 })
  const terms = { account: signer.account, binding, maxPeers: 8, keeps: () => true }
  const door = meshPhoton.door(terms, new PhotonDoor({ ...terms, file: '', seed: keyOf(0), listen: null, guestInterface: null, clock: time, timers: time, log }))
  const sqlite = addons.sqlite === undefined ? {} : { sqliteBinding: addons.sqlite }
  const paths = ({ amount }: PathRequest): readonly (readonly Path[])[] => pathOver(signer.account, (plan.path ?? []).map(accountOf), amount)
  const channels = new Box({ key: plan.number, dir: plan.dir, transport: door, secp256k1: curve, log, paths, ...sqlite })
  const direct = new ChannelPayer(channels.node, new PaymentModes(new Alarms(time, log, () => undefined)))
  const ledger = createLedger({ shares: () => [] })
  const store = openStore({ path: join(plan.dir, 'mesh.sqlite'), migrations: [...ledgerMigrations, ...meshMigrations], log, ...(addons.sqlite === undefined ? {} : { nativeBinding: addons.sqlite }) })
  const wan: UplinkState = { name: 'wan', kind: 'ethernet', interfaceName: 'wan', health: 'good', roundTripMs: 10, loss: 0, unitsPerMiB: 0n, isChosen: true, sinceMs: 0, reason: '' }

  const relay = new MeshRelay({
    config: () => config,
    token: TOKEN,
    payee: signer.account,
    hub,
    documents,
    isWelcome: () => true,
    view,
    hardInterfaces,
    uplink: () => (plan.hasUplink ? wan : null),
    openNetlink: () => {
      const netlink = loadNfnetlink(addons.nfnetlink)
      if (netlink === null) throw new Error('no nfnetlink')
      return netlink.open()
    },
    nft: ['nft'],
    ...(leaving === undefined ? {} : { leaving }),
    ip: ['ip'],
    runtimeDir: plan.dir,
    keccak256: (bytes) => curve.keccak256(bytes),
    store,
    ledger,
    clock: time,
    timers: time,
    randomness: systemRandomness,
    log,
  })
  for (const part of relay.parts()) await part.start()
  await hub.start()
  await door.start()
  channels.node.start()
  for (const [number, deposit] of Object.entries(plan.channels)) await channels.open(accountOf(Number(number)), BigInt(deposit))
  relay.usePayments({ direct: () => direct })
  const station = createNeighbourhood({ hub, peerId: wire.peerId, documents, clock: time, timers: time, randomness: systemRandomness, log, interfaceName: 'bat0', meshPrefixes: [PREFIX], community: COMMUNITY, originator: () => view.state().self })
  station.start()
  say({ box: hub.self, account: signer.account })

  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'stop') break
    const [what, amount = '0'] = line.split(' ')
    if (what === 'pay') {
      await channels.node.payLocked({ token: TOKEN, target: accountOf(plan.path?.at(-1) ?? 0), amount: BigInt(amount), maxFee: 10n })
      say({})
      continue
    }
    if (what === 'readmit') {
      const problem = await relay.desk.readmit(amount as Address).then(() => null, (error: Error) => error.message)
      say({ problem })
      continue
    }
    const entries = store.read((tx) => ledger.entries(tx, { limit: 200, ...(what === 'after' ? { afterId: Number(amount) } : {}) }))
    const audit = store.read((tx) => ledger.audit(tx))
    say({
      ...{ carriages: relay.desk.carriages(), own: relay.desk.ownAdvert(), adverts: relay.desk.adverts(), refusals: [...relay.desk.refusals()], alarms: relay.desk.alarms(), spending: relay.desk.spending(), entries, audit },
      links: hub.peers().map(({ box, isConnected }) => ({ box, isConnected })),
      channels: channels.node.channels().map(({ partner, own, key }) => ({ partner: partner.address, sent: own.transferred, got: partner.transferred, isReady: channels.node.isReady(key.channel), inFlight: channels.node.inFlight(key.channel) })),
      locked: channels.node.payments().filter(({ kind }) => kind === 'sent' || kind === 'received').map(({ kind, peer, amount }) => ({ kind, peer, amount })),
    })
  }
  station.stop()
  for (const part of relay.parts().toReversed()) await part.stop()
  await hub.stop()
  await channels.stop()
  await store.close()
}

/** Each on the way is given a unit more than the next. */
function pathOver(from: Address, nodes: readonly Address[], amount: bigint): readonly (readonly Path[])[] {
  if (nodes.length === 0) return []
  const fee = BigInt(nodes.length - 1)
  return [[{ hops: nodes.map((node, index) => ({ node, channel: channelOf(nodes[index - 1] ?? from, node), amount: amount + fee - BigInt(index) })), amount, fee }]]
}
