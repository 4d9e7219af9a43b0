/**
 * Both doors of the radio over bytes that nobody meant, in a process with little memory: Basics Station's, frames of a WebSocket as they stand on the
 * wire, and GWMP's datagrams. Says as JSON what was held after a tenth of them and after all, and what came of them.
 * Usage: node --expose-gc hostile-doors.ts <station|gwmp> <frames>
 */
import { Duplex } from 'node:stream'
import { getHeapStatistics } from 'node:v8'
import { fromHex, silentLog, utf8 } from '../../../../src/base/index.ts'
import { CLOSE } from '../../../../src/base/websocket.ts'
import { encodeDatagram } from '../../../../src/iot/radio/gwmp/index.ts'
import { GwmpDesk } from '../../../../src/iot/radio/gwmp/gwmp-desk.ts'
import { TextSocket } from '../../../../src/iot/radio/io/text-socket.ts'
import { StationDesk } from '../../../../src/iot/radio/station/station-desk.ts'
import { apart } from '../../../support/basic-station.ts'
import { rxpkOf } from '../../../support/concentrator.ts'
import { FakeTime, seededRandom } from '../../../support/fakes.ts'
import { clientFrame } from '../../../support/websocket-client.ts'

const GATEWAY = '0016c001ff10a235'
const PHY = fromHex('40f17dbe4900020001954378762b11ff0d')

const random = seededRandom(20_261_124)
const below = (end: number): number => Math.floor(random.next() * end)
const time = new FakeTime()
const counts = { received: 0, stats: 0, ends: 0 }
const shared = { clock: time, timers: time, log: silentLog, sink: { received: () => void counts.received++, stats: () => void counts.stats++, gateway: () => undefined } }

/** What a peer would send goes in as it comes from the kernel; what it would get is thrown away. */
class Wire extends Duplex {
  override _read(): void {
    // Nothing comes but by `arrive`.
  }
  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done()
  }
  arrive(bytes: Uint8Array): void {
    this.emit('data', bytes)
  }
}

function mangled(bytes: Uint8Array, edits: number): Uint8Array {
  for (let left = edits; left > 0 && bytes.length > 0; left--) bytes[below(bytes.length)] = below(256)
  return bytes
}

function stations(): () => void {
  const desk = new StationDesk({ region: 'EU868', tokens: {}, isOpen: true, firstChannelHz: null }, shared)
  const texts = [`{${apart(PHY)},"DR":5,"Freq":868100000,"upinfo":{"rctx":3,"xtime":9,"rssi":-60,"snr":8.5}}`, '{"msgtype":"dntxed","diid":88,"DR":0,"Freq":869525000,"xtime":1}', '{"msgtype":"timesync","txtime":12}', '{"msgtype":"version","protocol":2}', '[1e400,"\\ud800"]', '{"a":'.repeat(3_000)].map(utf8)
  const lengths = [0, 1, 125, 126, 4_000]
  let wire: Wire | null = null
  const frame = (): Uint8Array => {
    const payload = random.next() < 0.95 ? mangled((texts[below(texts.length)] ?? new Uint8Array()).slice(), below(4) >> 1) : random.bytes(lengths[below(lengths.length)] ?? 0)
    const made = clientFrame(random.next() < 0.95 ? 1 : below(16), payload, random.next() < 0.95)
    if (random.next() < 0.02) made.set([127, 0, 0, 0, 0, 255].slice(0, made.length - 1), 1) // a length that lies
    return random.next() < 0.03 ? mangled(made, 1) : made
  }
  const connect = (): Wire => {
    const made = new Wire({ autoDestroy: true })
    const link = new TextSocket(made, 'accept', { onText: (text) => { session?.take(text); return true }, onClose: () => { counts.ends++; if (session !== null) desk.disconnect(session); wire = null } }, time)
    const session = desk.connect(GATEWAY, { send: (text) => link.send(text), close: () => link.close(CLOSE.policy) })
    link.start(new Uint8Array())
    return made
  }
  return () => {
    wire ??= connect()
    const bytes = frame()
    const cut = random.next() < 0.2 ? below(bytes.length) : bytes.length
    wire.arrive(bytes.subarray(0, cut))
    wire?.arrive(bytes.subarray(cut))
  }
}

function datagrams(): () => void {
  const soon: (() => void)[] = []
  const desk = new GwmpDesk({ region: 'EU868', gateways: [] }, { ...shared, send: () => undefined, soon: (run) => soon.push(run) })
  const whole = encodeDatagram({ version: 2, token: 1, kind: 'push-data', gateway: GATEWAY, body: utf8(JSON.stringify({ rxpk: [rxpkOf({ phy: PHY }, 9)], stat: { rxnb: 1 } })) })
  let n = 0
  return () => {
    const bytes = random.next() < 0.3 ? random.bytes(below(400)) : whole.slice(0, random.next() < 0.7 ? whole.length : below(whole.length))
    const isNamed = random.next() < 0.5
    if (bytes.length > 12 && random.next() < 0.5) bytes.set([random.next() < 0.9 ? 2 : below(256), 1, 2, below(7), ...(isNamed ? [] : random.bytes(8))])
    desk.take(mangled(bytes, below(4)), isNamed ? { host: '192.0.2.7', port: 40_001 } : { host: `10.0.${below(4)}.${below(250)}`, port: below(65_536) })
    if (++n % 100 !== 0) return
    while (soon.length > 0) soon.shift()?.()
    time.advance(200)
  }
}

function held(): number {
  globalThis.gc?.()
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}

const [door, frames] = [process.argv[2], Number(process.argv[3])]
const hostile = door === 'station' ? stations() : datagrams()
let early = 0
for (let n = 0; n < frames; n++) {
  hostile()
  if (n === Math.floor(frames / 10)) early = held()
  // What waits for the event loop gets its turn: sockets that were closed are let go there.
  if (n % 1_000 === 0) await new Promise(setImmediate)
}
console.log(JSON.stringify({ ...counts, earlyBytes: early, grownBytes: held() - early }))
process.exit(0)
