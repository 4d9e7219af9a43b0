/** One door of two: whoever has a partner first carries its frames in order, and losing one of two is a break, not silence. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Address, Cancel } from '../../../src/base/index.ts'
import { JoinedDoor } from '../../../src/main/joined-door.ts'
import type { PeerDoor } from '../../../src/photon/index.ts'

const SELF = `0x${'01'.repeat(20)}` as Address
const BEN = `0x${'0b'.repeat(20)}` as Address

/** A way to partners that does as the test says. */
class Way implements PeerDoor {
  readonly self = SELF
  readonly name: string
  readonly said: string[] = []
  readonly #frames = new Set<(from: Address, frame: Uint8Array) => void>()
  readonly #came = new Set<(peer: Address) => void>()
  readonly #went = new Set<(peer: Address) => void>()

  constructor(name: string) {
    this.name = name
  }
  comes(peer: Address): void {
    for (const one of this.#came) one(peer)
  }
  goes(peer: Address): void {
    for (const one of this.#went) one(peer)
  }
  says(peer: Address, byte: number): void {
    for (const one of this.#frames) one(peer, Uint8Array.of(byte))
  }
  listeners(): number {
    return this.#frames.size + this.#came.size + this.#went.size
  }
  send(_to: Address, frame: Uint8Array): boolean {
    return this.said.push(`sent ${frame[0]}`) > 0
  }
  pause(): void {
    this.said.push('pause')
  }
  resume(): void {
    this.said.push('resume')
  }
  disconnect(peer: Address): void {
    this.said.push('cut')
    this.goes(peer)
  }
  onFrame = (listener: (from: Address, frame: Uint8Array) => void): Cancel => (this.#frames.add(listener), () => this.#frames.delete(listener))
  onConnected = (listener: (peer: Address) => void): Cancel => (this.#came.add(listener), () => this.#came.delete(listener))
  onDisconnected = (listener: (peer: Address) => void): Cancel => (this.#went.add(listener), () => this.#went.delete(listener))
  async start(): Promise<void> {
    this.said.push('start')
  }
  async dial(address: string): Promise<void> {
    this.said.push(`dial ${address}`)
  }
  async close(): Promise<void> {
    this.said.push('close')
  }
  addresses(): readonly string[] {
    return ['/ip4/192.0.2.7/tcp/60402']
  }
}

let mesh: Way
let own: Way
let door: JoinedDoor
let events: string[]

beforeEach(() => {
  mesh = new Way('mesh')
  own = new Way('own')
  events = []
  door = new JoinedDoor({ mesh: Object.assign(mesh, { open: () => void mesh.said.push('open'), close: () => (mesh.said.push('close'), Promise.resolve()) }), own })
  door.onConnected(() => events.push('+'))
  door.onDisconnected(() => events.push('-'))
  door.onFrame((_from, frame) => events.push(String(frame[0])))
})

describe('a partner', () => {
  it('that comes by both is met once; frames go by the first and are taken from both', () => {
    mesh.comes(BEN)
    own.comes(BEN)
    own.comes(BEN)
    door.send(BEN, Uint8Array.of(1))
    mesh.says(BEN, 2)
    own.says(BEN, 3)
    expect(events).toEqual(['+', '2', '3'])
    expect([mesh.said, own.said]).toEqual([['sent 1'], []])
  })

  it('that loses the second way feels nothing; losing the first is a break, and frames go by the other', () => {
    mesh.comes(BEN)
    own.comes(BEN)
    own.goes(BEN)
    expect(events).toEqual(['+'])
    own.comes(BEN)
    mesh.goes(BEN)
    expect(events).toEqual(['+', '-', '+'])
    door.send(BEN, Uint8Array.of(4))
    expect(own.said).toContain('sent 4')
    own.goes(BEN)
    expect(events).toEqual(['+', '-', '+', '-'])
    expect(door.send(BEN, Uint8Array.of(5))).toBe(false)
  })

  it('that is held is held on all ways, and a way that comes later too', () => {
    mesh.comes(BEN)
    door.pause(BEN)
    own.comes(BEN)
    expect([mesh.said, own.said]).toEqual([['pause'], ['pause']])
    door.resume(BEN)
    expect([mesh.said.at(-1), own.said.at(-1)]).toEqual(['resume', 'resume'])
    door.pause(BEN)
    mesh.goes(BEN) // a new beginning: nobody holds it any more
    expect(own.said.at(-1)).toBe('resume')
  })

  it('that is cut is cut everywhere', () => {
    mesh.comes(BEN)
    own.comes(BEN)
    door.disconnect(BEN, 'the test cuts it')
    expect([mesh.said, own.said.filter((one) => one === 'cut')]).toEqual([['cut'], ['cut']])
    expect(events.at(-1)).toBe('-')
    expect(door.send(BEN, Uint8Array.of(1))).toBe(false)
  })

  it('that nobody has met is not heard', () => {
    own.says(BEN, 1)
    expect(events).toEqual([])
  })
})

it('opens the mesh before the network is asked, dials by its own way, and lets go of both', async () => {
  await door.start()
  await door.dial('/ip4/192.0.2.9/tcp/60402')
  expect([mesh.said, own.said]).toEqual([['open'], ['start', 'dial /ip4/192.0.2.9/tcp/60402']])
  expect(door.addresses()).toEqual(own.addresses())
  await door.close()
  expect([mesh.listeners(), own.listeners()]).toEqual([0, 0])
})
