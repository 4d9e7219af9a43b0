/**
 * The IoT gateway in a process of its own, as bundled, with a real mosquitto beside it: what one uplink costs in CPU on each path, how soon PUSH_ACK
 * comes, what the room and a thousand devices take of memory, and whether anything is lost or grows while the broker comes and goes.
 * MESHBOX_IOT_SOAK_SECONDS: how long the last one runs (default 40; 3600 is the hour of the aim).
 */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { build } from 'esbuild'
import { peer } from '../../scripts/bundle/programs.ts'
import { MALLOC_ENVIRONMENT, V8_FLAGS } from '../../scripts/bundle/start-scripts.ts'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { fromHex, silentLog } from '../../src/base/index.ts'
import { systemRandomness, systemTimers } from '../../src/base/io/system.ts'
import { openSessionKeys, sealData } from '../../src/iot/lorawan/index.ts'
import { Mosquitto } from '../../src/iot/mqtt/index.ts'
import { connectMqtt } from '../../src/iot/mqtt/io/client.ts'
import { Concentrator, rxpkOf } from '../support/concentrator.ts'
import { freePort } from '../support/free-port.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { summary } from './measure.ts'
import type { IotFigures, IotTask } from './workers/iot-box.ts'

export const iot: Bench = { name: 'iot', run }

const GATEWAY = '016c001ff10a2035'
const KEY_HEX = '000102030405060708090a0b0c0d0e0f'
const FIRST_DEV_ADDR = 0x0000_1000
const DEVICES = 1_000
const ROUNDS = 5
const PER_ROUND = 2_400
/** Until then V8's compilers are a quarter of the CPU and more; a box gets there in its first minutes. */
const WARM_UP = 20_000
/** Payload of 10 bytes: 23 on the air, what the spec counts with. */
const PAYLOAD = new Uint8Array(10)
const TICK_MS = 10
/** What is sent in one tick at most, in ticks of the rate. */
const CATCH_UP = 1.5
/** Datagrams without their acknowledgement, where they follow each other without a pause: what the kernel's buffer holds for certain. */
const WINDOW = 32
/** Frames without a pause: fewer than may wait for a broker (src/iot/mqtt/io/client.ts). Of a round, and until one host may send so many again (src/iot/radio/gwmp/source-budget.ts). */
const [BURST, BURSTS, BURST_PAUSE_MS] = [900, 3, 1_000]
const PATIENCE_MS = 120_000
const SOAK_SECONDS = Number(process.env['MESHBOX_IOT_SOAK_SECONDS'] ?? 40)
const SOAK_RATE = 260
const HOUR_SECONDS = 3600
const ACK_RATE = 300

async function run({ dir, say }: BenchPlace): Promise<BenchRow[]> {
  await buildNative('host', undefined, { only: ['udp'] })
  const file = join(dir, 'iot-box.cjs')
  await build({ ...peer, entryPoints: ['test/bench/workers/iot-box.ts'], outfile: file })
  chmodSync(dir, 0o711) // the broker gives up root, and must get through
  const broker = new Mosquitto({ loopbackPort: await freePort(), listeners: [], users: [], topicPrefix: 'meshbox', systemUser: 'nobody' }, { folder: join(dir, 'broker'), timers: systemTimers, log: silentLog })
  await broker.start()
  if (broker.problem !== null) throw new Error(`mosquitto: ${broker.problem}`)
  // Somebody has to want the frames: what nobody hears is no delivery.
  const tenant = connectMqtt({ url: broker.url, userName: null, password: null, clientId: 'tenant', will: null }, { timers: systemTimers, randomness: systemRandomness, log: silentLog, firstWaitMs: 50 })
  tenant.subscribe('eu868/gateway/+/event/#', () => undefined)
  const start = (path: IotTask['path'], devices = DEVICES): Promise<IotBox> => IotBox.start(file, dir, { path, devices, brokerUrl: broker.url, firstDevAddr: FIRST_DEV_ADDR, keyHex: KEY_HEX })
  try {
    say('iot: CPU per uplink')
    const single = await cpuRows(await start('bridge'), 'iot: CPU per uplink, GWMP → protobuf → MQTT, one a datagram', 1, 110, { name: 'Go gateway bridge, QoS 0', value: 67 })
    const batched = await cpuRows(await start('bridge'), 'iot: the same, eight a datagram', 8, 67, { name: 'Go gateway bridge, QoS 0', value: 50 })
    const server = await cpuRows(await start('server'), 'iot: CPU per uplink, full path with MIC, decryption and commit', 8, 150)
    const sold = await cpuRows(await start('tenants'), 'iot: CPU per uplink sold: MIC, bill, MQTT, two commits', 8, null)
    say('iot: PUSH_ACK, memory')
    return [...single, ...batched, ...server, ...sold, await ackRow(await start('bridge')), ...(await memoryRows(start)), ...(await soakRows(await start('tenants'), broker, say))]
  } finally {
    await tenant.close()
    await broker.stop()
  }
}

class IotBox {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly #task: IotTask
  concentrator!: Concentrator
  port = 0
  #sent = 0

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>, task: IotTask) {
    this.#child = child
    this.#task = task
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  static async start(file: string, dir: string, given: Omit<IotTask, 'dir' | 'sqliteBinding' | 'udpAddon'>): Promise<IotBox> {
    const own = join(dir, `box-${process.hrtime.bigint()}`)
    mkdirSync(own)
    const sqliteBinding = join(dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json')), `prebuilds/linux-${process.arch}.node`)
    const task: IotTask = { ...given, dir: own, sqliteBinding, udpAddon: addonPath('host', 'udp') }
    const box = new IotBox(spawn(process.execPath, [...V8_FLAGS, '--expose-gc', file, JSON.stringify(task)], { env: { ...process.env, ...MALLOC_ENVIRONMENT, UV_THREADPOOL_SIZE: '2' }, stdio: ['pipe', 'pipe', 'inherit'] }), task)
    box.port = (await box.#next<{ port: number }>()).port
    if (given.path === 'none') return box
    box.concentrator = new Concentrator({ gateway: GATEWAY, port: box.port, keepaliveMs: 1_000 })
    await box.concentrator.start()
    await until('the gateway at the broker', async () => (await box.figures()).isOnline)
    return box
  }

  /** `memory`: after a collection, which costs CPU. */
  async figures(of: 'cpu' | 'memory' = 'cpu'): Promise<IotFigures> {
    this.#child.stdin.write(`${of}\n`)
    return this.#next<IotFigures>()
  }

  /** Sends so many frames, `batch` a datagram, at a steady rate, or below it: who was kept from the processor does not make up for it at once, or the kernel drops what comes. */
  async send(count: number, batch: number, perSecond: number): Promise<void> {
    const from = performance.now()
    const goal = this.#sent + count
    const first = this.#sent
    while (this.#sent < goal) {
      const due = Math.min(goal, this.#sent + Math.ceil((perSecond * CATCH_UP * TICK_MS) / 1_000), first + Math.ceil(((performance.now() - from) * perSecond) / 1_000))
      while (this.#sent < due) {
        this.#push(Math.min(batch, goal - this.#sent))
      }
      await pause(TICK_MS)
    }
  }

  /** Sends so many frames, `batch` a datagram, the next as soon as those before are acknowledged. */
  async sendWithoutPause(count: number, batch: number): Promise<void> {
    const goal = this.#sent + count
    let heardMs = performance.now()
    let acks = this.concentrator.seen.pushAcks
    const from = this.concentrator.pushes - acks // lost before, if any
    while (this.#sent < goal) {
      while (this.#sent < goal && this.concentrator.pushes - this.concentrator.seen.pushAcks - from < WINDOW) this.#push(Math.min(batch, goal - this.#sent))
      await nextTurn()
      if (this.concentrator.seen.pushAcks > acks) [acks, heardMs] = [this.concentrator.seen.pushAcks, performance.now()]
      else if (performance.now() - heardMs > PATIENCE_MS) throw new Error(`waited in vain for the acknowledgements of ${WINDOW} datagrams`)
    }
  }

  #push(frames: number): void {
    const rxpk = Array.from({ length: frames }, () => rxpkOf({ phy: this.#frame(this.#sent++), lsnr: 9.5, rssi: -57 }, (this.#sent * 10_000) % 2 ** 32))
    this.concentrator.push({ rxpk })
  }

  /** Until every frame sent so far has come to its end. */
  async settled(): Promise<IotFigures> {
    let last = await this.figures()
    await until(`${this.#sent} frames to come to their end (${last.done} done, ${last.failed} failed)`, async () => {
      last = await this.figures()
      return last.done + last.failed >= this.#sent
    })
    return last
  }

  get sent(): number {
    return this.#sent
  }

  async stop(): Promise<void> {
    this.concentrator?.stop()
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin.end()
    await ended
  }

  #frame(n: number): Uint8Array {
    return sealData(CIPHERS, { direction: 'up', isConfirmed: false, devAddr: this.#task.firstDevAddr + (n % this.#task.devices), adr: false, adrAckReq: false, ack: false, bit4: false, fOpts: new Uint8Array(0), fPort: 1, frmPayload: PAYLOAD, fCnt32: Math.floor(n / this.#task.devices) })
  }

  async #next<T>(): Promise<T> {
    const line = await this.#lines.next()
    if (line.done === true) throw new Error('the box of the IoT bench ended')
    return JSON.parse(line.value) as T
  }
}

const KEY = fromHex(KEY_HEX)
const CIPHERS = openSessionKeys({ fNwkSIntKey: KEY, sNwkSIntKey: KEY, nwkSEncKey: KEY, appSKey: KEY }, false)

/**
 * Two rows: datagrams one behind the other, which is what the bridge's figure can be compared with, and at a steady rate with pauses, in which a
 * processor does other things and forgets what it knew: waking up costs more then than the frames.
 */
async function cpuRows(box: IotBox, name: string, batch: number, aim: number | null, peerFigure?: { readonly name: string; readonly value: number }): Promise<BenchRow[]> {
  const rate = batch === 1 ? 600 : 1_200
  const patterns = [
    { name, times: BURSTS, send: () => box.sendWithoutPause(BURST, batch), values: [] as number[] },
    { name: `${name}; at ${rate}/s`, times: 1, send: () => box.send(PER_ROUND, batch, rate), values: [] as number[] },
  ]
  try {
    await box.send(WARM_UP, batch, rate)
    await box.settled()
    for (let round = 0; round < ROUNDS; round++)
      for (const { times, send, values } of patterns) {
        let [cpuMs, done] = [0, 0]
        for (let time = 0; time < times; time++) {
          await pause(BURST_PAUSE_MS)
          const before = await box.figures()
          await send()
          const after = await box.settled()
          cpuMs += after.cpuMs - before.cpuMs
          done += after.done - before.done
        }
        values.push((cpuMs * 1_000) / done)
      }
    const { failed } = await box.figures()
    if (failed > 0) throw new Error(`${name}: ${failed} of ${box.sent} frames failed`)
  } finally {
    await box.stop()
  }
  return patterns.map((pattern) => {
    const ours = summary(pattern.values)
    return { name: pattern.name, unit: 'µs', ours, ...(peerFigure === undefined ? {} : { peer: { name: peerFigure.name, value: summary([peerFigure.value]) } }), aim: aim === null ? { text: 'shown', met: null } : { text: `≤ ${aim}`, met: ours.p50 <= aim } }
  })
}

async function ackRow(box: IotBox): Promise<BenchRow> {
  try {
    await box.send(ACK_RATE * 2, 1, ACK_RATE)
    box.concentrator.ackMs.length = 0
    await box.send(ACK_RATE * 10, 1, ACK_RATE)
    await box.settled()
    const ours = summary(box.concentrator.ackMs)
    return { name: `iot: PUSH_ACK at ${ACK_RATE} uplinks/s`, unit: 'ms', ours, aim: { text: 'p99 < 10', met: ours.p99 < 10 && ours.count >= ACK_RATE * 10 } }
  } finally {
    await box.stop()
  }
}

async function memoryRows(start: (path: IotTask['path'], devices?: number) => Promise<IotBox>): Promise<BenchRow[]> {
  const looked = async (path: IotTask['path'], devices: number, frames: number): Promise<IotFigures> => {
    const box = await start(path, devices)
    try {
      if (frames > 0) await box.send(frames, 8, 1_200)
      if (frames > 0) await box.settled()
      return await box.figures('memory')
    } finally {
      await box.stop()
    }
  }
  const bare: number[] = []
  const [bridge, thousand]: number[][] = [[], []]
  for (let round = 0; round < 3; round++) {
    const none = (await looked('none', 1, 0)).rssMib
    bare.push(none)
    bridge?.push((await looked('bridge', DEVICES, 3_000)).rssMib - none)
    const one = (await looked('server', 1, 0)).heapMib
    thousand?.push((await looked('server', DEVICES, DEVICES * 2)).heapMib - one)
  }
  const [added, devices] = [summary(bridge ?? []), summary(thousand ?? [])]
  return [
    { name: 'iot: RSS added by the gateway, after 3,000 uplinks', unit: 'MiB', ours: added, aim: { text: '≤ 25', met: added.p50 <= 25 }, note: `over ${summary(bare).p50.toFixed(0)} MiB of Node with the store open` },
    { name: 'iot: heap of 1,000 devices that spoke twice', unit: 'MiB', ours: devices, aim: { text: '≤ 5', met: devices.p50 <= 5 } },
  ]
}

/** Frames at twice the limit of the radio, the broker killed twice: what is billed is what was sent. */
async function soakRows(box: IotBox, broker: Mosquitto, say: (line: string) => void): Promise<BenchRow[]> {
  say(`iot: ${SOAK_SECONDS} s at ${SOAK_RATE} uplinks/s, with broker restarts`)
  try {
    const pieces = 4
    const each = Math.ceil((SOAK_RATE * SOAK_SECONDS) / pieces)
    await box.send(SOAK_RATE * 15, 1, SOAK_RATE)
    await box.settled()
    // Compilers and SQLite's page cache fill in the first minutes, and stay: growth is what comes after a quarter (scripts/soak/held.ts).
    let early = await box.figures('memory')
    for (let piece = 0; piece < pieces; piece++) {
      if (piece === 1) early = await box.figures('memory')
      const sending = box.send(each, 1, SOAK_RATE)
      await pause((SOAK_SECONDS * 1_000) / pieces / 3)
      if (piece % 2 === 0) {
        await broker.stop()
        await pause(1_500)
        await broker.start()
      }
      await sending
    }
    await box.settled()
    const late = await box.figures('memory')
    const missing = box.sent - late.done
    return [
      { name: `iot: frames of ${box.sent} without a bill, broker restarted twice`, unit: 'frames', ours: summary([missing]), aim: { text: '0', met: missing === 0 }, note: `${late.late} of them were handed over late, as such` },
      {
        name: 'iot: growth of RSS after a quarter of it',
        unit: 'MiB',
        ours: summary([late.rssMib - early.rssMib]),
        aim: { text: '< 5 in an hour', met: SOAK_SECONDS >= HOUR_SECONDS ? late.rssMib - early.rssMib < 5 : null },
        note: SOAK_SECONDS >= HOUR_SECONDS ? `${SOAK_SECONDS} s` : `${SOAK_SECONDS} s, in which caches still fill; MESHBOX_IOT_SOAK_SECONDS=${HOUR_SECONDS} for the hour of the aim`,
      },
    ]
  } finally {
    await box.stop()
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const from = performance.now()
  while (!(await holds())) {
    if (performance.now() - from > PATIENCE_MS) throw new Error(`waited in vain for ${what}`)
    await pause(50)
  }
}
