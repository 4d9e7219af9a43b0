/** The soak's gateway: frames of a thousand devices sold to a tenant over a real broker (test/bench/workers/iot-box.ts), at a steady rate. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { build } from 'esbuild'
import { fromHex, silentLog } from '../../src/base/index.ts'
import { systemRandomness, systemTimers } from '../../src/base/io/system.ts'
import { openSessionKeys, sealData } from '../../src/iot/lorawan/index.ts'
import { Mosquitto } from '../../src/iot/mqtt/index.ts'
import { connectMqtt } from '../../src/iot/mqtt/io/client.ts'
import type { IotFigures, IotTask } from '../../test/bench/workers/iot-box.ts'
import { Concentrator, rxpkOf } from '../../test/support/concentrator.ts'
import { freePort } from '../../test/support/free-port.ts'
import { waitFor } from '../../test/support/town-services.ts'
import { peer } from '../bundle/programs.ts'
import { V8_FLAGS } from '../bundle/start-scripts.ts'

const GATEWAY = '016c001ff10a2035'
const KEY_HEX = '000102030405060708090a0b0c0d0e0f'
const FIRST_DEV_ADDR = 0x0000_1000
const DEVICES = 1_000
const TICK_MS = 10
const PATIENCE_MS = 120_000
const SETTLE_MS = 1_000
const MOST_AT_ONCE = 64
const KEY = fromHex(KEY_HEX)
const CIPHERS = openSessionKeys({ fNwkSIntKey: KEY, sNwkSIntKey: KEY, nwkSEncKey: KEY, appSKey: KEY }, false)

export class Uplinks {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly #broker: Mosquitto
  readonly #tenant: ReturnType<typeof connectMqtt>
  readonly #concentrator: Concentrator
  sent = 0

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>, lines: AsyncIterator<string>, broker: Mosquitto, tenant: ReturnType<typeof connectMqtt>, port: number) {
    this.#child = child
    this.#lines = lines
    this.#broker = broker
    this.#tenant = tenant
    this.#concentrator = new Concentrator({ gateway: GATEWAY, port, keepaliveMs: 1_000 })
  }

  static async start(dir: string, sqliteBinding: string, env: NodeJS.ProcessEnv): Promise<Uplinks> {
    const file = join(dir, 'iot-box.cjs')
    await build({ ...peer, entryPoints: ['test/bench/workers/iot-box.ts'], outfile: file })
    chmodSync(dir, 0o711) // the broker gives up root, and must get through
    mkdirSync(join(dir, 'iot'))
    const broker = new Mosquitto({ loopbackPort: await freePort(), listeners: [], users: [], topicPrefix: 'meshbox', systemUser: 'nobody' }, { folder: join(dir, 'broker'), timers: systemTimers, log: silentLog })
    await broker.start()
    if (broker.problem !== null) throw new Error(`mosquitto: ${broker.problem}`)
    // What nobody wants is not delivered, and not billed.
    const tenant = connectMqtt({ url: broker.url, userName: null, password: null, clientId: 'tenant', will: null }, { timers: systemTimers, randomness: systemRandomness, log: silentLog, firstWaitMs: 50 })
    tenant.subscribe('eu868/gateway/+/event/#', () => undefined)
    const task: IotTask = { path: 'tenants', dir: join(dir, 'iot'), sqliteBinding, brokerUrl: broker.url, devices: DEVICES, firstDevAddr: FIRST_DEV_ADDR, keyHex: KEY_HEX, udpAddon: null }
    const child = spawn(process.execPath, [...V8_FLAGS, '--expose-gc', file, JSON.stringify(task)], { env: { ...env, MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2' }, stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const first = await lines.next()
    const uplinks = new Uplinks(child, lines, broker, tenant, first.done === true ? 0 : (JSON.parse(first.value) as { port: number }).port)
    await uplinks.#concentrator.start()
    await waitFor('the gateway at the broker', async () => (await uplinks.figures()).isOnline, PATIENCE_MS)
    return uplinks
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async figures(): Promise<IotFigures> {
    this.#child.stdin.write('cpu\n')
    const line = await this.#lines.next()
    if (line.done === true) throw new Error('the gateway of the soak ended')
    return JSON.parse(line.value) as IotFigures
  }

  /** Datagrams that the box has acknowledged: what was lost before its door was never its own. */
  get acknowledged(): number {
    return this.#concentrator.seen.pushAcks
  }

  /** Until `isOver`, then until each that was acknowledged has come to its end, or two minutes have passed. */
  async run(perSecond: number, isOver: () => boolean): Promise<IotFigures> {
    const from = performance.now()
    while (!isOver()) {
      // After a pause of this program the rest comes in pieces that a socket's buffer holds.
      const due = Math.min(Math.ceil(((performance.now() - from) * perSecond) / 1_000), this.sent + MOST_AT_ONCE)
      while (this.sent < due) this.#concentrator.push({ rxpk: [rxpkOf({ phy: this.#frame(this.sent++), lsnr: 9.5, rssi: -57 }, (this.sent * 10_000) % 2 ** 32)] })
      await pause(TICK_MS)
    }
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      await pause(SETTLE_MS) // acknowledgements that are on their way
      const figures = await this.figures()
      if (figures.done + figures.failed >= this.acknowledged || performance.now() > end) return figures
    }
  }

  async stop(): Promise<void> {
    this.#concentrator.stop()
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin.end()
    await ended
    await this.#tenant.close()
    await this.#broker.stop()
  }

  #frame(n: number): Uint8Array {
    return sealData(CIPHERS, { direction: 'up', isConfirmed: false, devAddr: FIRST_DEV_ADDR + (n % DEVICES), adr: false, adrAckReq: false, ack: false, bit4: false, fOpts: new Uint8Array(0), fPort: 1, frmPayload: new Uint8Array(10), fCnt32: Math.floor(n / DEVICES) })
  }
}
