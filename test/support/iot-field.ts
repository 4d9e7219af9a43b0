/** Programs of the field, each in a namespace: a concentrator that hears what it is told, a tenant's server, and the frames of sensors with one key. Shared by the test of the town and `make run`. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fromHex, toHex } from '../../src/base/index.ts'
import { decodeFrame, openSessionKeys, sealData } from '../../src/iot/lorawan/index.ts'
import type { Host } from './netns.ts'
import { NODE, ROOT, waitFor } from './town-services.ts'

export const FIELD_GATEWAY = '016c001ff10a2035'
export const FIELD_KEY = '000102030405060708090a0b0c0d0e0f'
const KEY = fromHex(FIELD_KEY)
const CIPHERS = openSessionKeys({ fNwkSIntKey: KEY, sNwkSIntKey: KEY, nwkSEncKey: KEY, appSKey: KEY }, false)

export function sensorFrame(devAddr: number, fCnt: number, payload: Uint8Array): Uint8Array {
  return sealData(CIPHERS, { direction: 'up', isConfirmed: false, devAddr, adr: false, adrAckReq: false, ack: false, bit4: false, fOpts: new Uint8Array(0), fPort: 1, frmPayload: payload, fCnt32: fCnt })
}

/** Cayenne LPP, channel 3: relative humidity, in steps of half a percent. */
export const humidity = (percent: number): Uint8Array => Uint8Array.of(3, 0x68, percent * 2)

/** To whom a frame down is. */
export const devAddrOf = (hex: string): number | null => {
  const frame = decodeFrame(fromHex(hex))
  return frame.type === 'data' ? frame.devAddr : null
}

/** One program with its lines. */
class Program {
  readonly #child: ChildProcess
  readonly lines: string[] = []

  private constructor(child: ChildProcess) {
    this.#child = child
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line))
  }

  static async start(host: Host, file: string, args: readonly string[]): Promise<Program> {
    const program = new Program(host.spawn(NODE, ['--disable-warning=ExperimentalWarning', join(ROOT, 'test/support', file), ...args], { stdio: ['pipe', 'pipe', 'inherit'] }))
    await waitFor(file, () => program.lines.includes('ready'), 30_000)
    return program
  }

  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}

export class Antenna {
  readonly #program: Program

  private constructor(program: Program) {
    this.#program = program
  }

  /** Where packet forwarders are heard: on the box itself by default. */
  static async start(host: Host, address = '127.0.0.1', port = 1700): Promise<Antenna> {
    return new Antenna(await Program.start(host, 'iot-field-child.ts', [FIELD_GATEWAY, address, String(port)]))
  }

  hear(phy: Uint8Array): void {
    this.#program.write(toHex(phy))
  }

  /** Frames that went on the air, hex. */
  get sent(): readonly string[] {
    return this.#program.lines.flatMap((line) => (line.startsWith('air ') ? [line.slice(4)] : []))
  }

  stop(): void {
    this.#program.stop()
  }
}

export class TenantServer {
  readonly #program: Program

  private constructor(program: Program) {
    this.#program = program
  }

  static async start(host: Host, port: number): Promise<TenantServer> {
    return new TenantServer(await Program.start(host, 'iot-tenant-child.ts', [String(port)]))
  }

  has(phy: Uint8Array): boolean {
    return this.#program.lines.includes(`got ${toHex(phy)}`)
  }

  /** All that came, hex; one that came twice is there twice. */
  get frames(): readonly string[] {
    return this.#program.lines.flatMap((line) => (line.startsWith('got ') ? [line.slice(4)] : []))
  }

  stop(): void {
    this.#program.stop()
  }
}

/** A client of the box's broker, from elsewhere. */
export class BrokerClient {
  readonly #program: Program

  private constructor(program: Program) {
    this.#program = program
  }

  /** Resolves when the broker has said yes or no. Empty `name`: nobody. */
  static async start(host: Host, url: string, name: string, password: string): Promise<BrokerClient> {
    const client = new BrokerClient(await Program.start(host, 'iot-mqtt-child.ts', [url, name, password]))
    await waitFor(`an answer of the broker to ${name}`, () => client.isIn || client.problem !== null, 30_000)
    return client
  }

  get isIn(): boolean {
    return this.#program.lines.includes('in')
  }

  /** Null: none was told. */
  get problem(): string | null {
    return this.#program.lines.findLast((line) => line.startsWith('out '))?.slice(4) ?? null
  }

  /** Topics of what came, in order. */
  get heard(): readonly string[] {
    return this.#program.lines.flatMap((line) => (line.startsWith('msg ') ? [line.slice(4)] : []))
  }

  subscribe(...filters: readonly string[]): void {
    for (const filter of filters) this.#program.write(`sub ${filter}`)
  }

  /** Resolves when each has come to its end, whatever that is. */
  async publish(...topics: readonly string[]): Promise<void> {
    const did = (): number => this.#program.lines.filter((line) => line === 'did').length
    const before = did()
    for (const topic of topics) this.#program.write(`pub ${topic}`)
    await waitFor('the end of what was published', () => did() >= before + topics.length, 30_000)
  }

  stop(): void {
    this.#program.stop()
  }
}
