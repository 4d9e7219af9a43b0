/** One box among boxes, for peer-beacon.test.ts and the peers' benchmark: peer-child.ts NUMBER INTERFACE PREFIX [SECP256K1.NODE]. Tells on its output what it sees. */
import { silentLog } from '../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../src/base/io/system.ts'
import { createNeighbourhood } from '../../src/mesh/peers/index.ts'
import { Libp2pWire } from '../../src/mesh/peers/io/libp2p-wire.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import { COMMUNITY, NOTES, boxOf, keyOf } from '../unit/mesh-peers/boxes.ts'

const [number = '1', interfaceName = 'bat0', prefix = 'fd00::/16', addon = null] = process.argv.slice(2)
const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`)

const time = Object.assign(new SystemClock('always'), systemTimers)
const wire = new Libp2pWire({ seed: keyOf(100 + Number(number)), listen: ['/ip6/::/tcp/40003'], maxConnections: 64, onTrouble: () => undefined })
const { hub, documents } = boxOf({ number: Number(number), wire, time, settings: { meshPrefixes: [prefix] }, secp256k1: loadSecp256k1(addon) })
const lane = hub.open(NOTES)
lane.onOpen((peer, side) => {
  say({ opened: peer, side, address: hub.peers().find(({ box }) => box === peer)?.address, atMs: Date.now() })
  lane.send(peer, Buffer.from(`hello from ${number}`))
})
lane.onFrame((from, frame) => say({ from, heard: Buffer.from(frame).toString() }))
lane.onClose((peer) => say({ closed: peer }))
await hub.start()
const station = createNeighbourhood({
  hub,
  peerId: wire.peerId,
  documents,
  clock: time,
  timers: time,
  randomness: systemRandomness,
  log: silentLog,
  interfaceName,
  meshPrefixes: [prefix],
  community: COMMUNITY,
  originator: () => `02:00:00:00:00:0${number}`,
})
station.start()
say({ ready: hub.self, atMs: Date.now() })
systemTimers.every(500, () => say({ trouble: station.trouble(), addresses: hub.sizes().addresses, sizes: hub.sizes() }))
