/** A lane between accounts: it is a door as payment channels want it, and nobody speaks for an account without its key. */
import { afterEach, describe, expect, it } from 'vitest'
import { bytesOf, concatBytes, hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { AccountLane } from '../../../src/mesh/peers/index.ts'
import type { AccountBinding } from '../../../src/mesh/peers/index.ts'
import type { PeerDoor } from '../../../src/photon/index.ts'
import type { BoxId } from '../../../src/mesh/ports.ts'
import { FakeTime } from '../../support/fakes.ts'
import { NOTES, boxOf, documentsOf } from './boxes.ts'
import { MemoryNet } from './memory-wire.ts'

/** Account keys are other keys than the boxes'. */
function bindingOf(number: number): AccountBinding {
  const documents = documentsOf(1000 + number)
  return {
    prove: (peerId) => documents.sign('binding', peerId),
    check: (peerId, proof) => documents.signer('binding', peerId, proof),
  }
}
const accountOf = (number: number): Address => documentsOf(1000 + number).self

const turns = async (): Promise<void> => {
  for (let i = 0; i < 8; i++) await new Promise((resolve) => setImmediate(resolve))
}

interface End {
  readonly door: PeerDoor
  readonly lane: AccountLane
  readonly events: string[]
  readonly address: string
  readonly unwelcome: Set<BoxId>
  readonly penalties: () => number
  readonly stop: () => Promise<void>
}

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

async function end(net: MemoryNet, number: number, binding: AccountBinding | null = bindingOf(number), account = accountOf(number)): Promise<End> {
  const time = new FakeTime()
  const wire = net.wire(`fd00::${number}`, number)
  const { hub } = boxOf({ number, wire, time })
  const unwelcome = new Set<BoxId>()
  const lane = new AccountLane({ account, binding, isWelcome: (box) => !unwelcome.has(box), ownPeerId: wire.peerId, lane: hub.open({ ...NOTES, name: '/photon/3' }), node: hub, log: silentLog })
  const events: string[] = []
  const door: PeerDoor = lane
  door.onConnected((peer) => events.push(`+${peer}`))
  door.onDisconnected((peer) => events.push(`-${peer}`))
  door.onFrame((from, frame) => events.push(`${from} ${hexOf(frame)}`))
  await hub.start()
  await door.start()
  stops.push(() => hub.stop())
  return { door, lane, events, address: wire.address, unwelcome, penalties: () => hub.peers().reduce((sum, { penalty }) => sum + penalty, 0), stop: () => hub.stop() }
}

describe('accounts', () => {
  it('connect, talk, are held and cut', async () => {
    const net = new MemoryNet()
    const [a, b] = [await end(net, 1), await end(net, 2)]
    const dial = a.door.dial(b.address)
    await turns()
    await dial
    expect([a.events, b.events]).toEqual([[`+${accountOf(2)}`], [`+${accountOf(1)}`]])
    expect(a.door.send(accountOf(2), Uint8Array.of(1))).toBe(true)
    await turns()
    b.door.pause(accountOf(1))
    a.door.send(accountOf(2), Uint8Array.of(2))
    await turns()
    expect(b.events).toEqual([`+${accountOf(1)}`, `${accountOf(1)} 0x01`])
    b.door.resume(accountOf(1))
    expect(b.events.at(-1)).toBe(`${accountOf(1)} 0x02`)
    expect(a.lane.boxOf(accountOf(2))).toBe(documentsOf(2).self)
    b.door.disconnect(accountOf(1), 'the test cuts it')
    await turns()
    expect([a.events.at(-1), b.events.at(-1)]).toEqual([`-${accountOf(2)}`, `-${accountOf(1)}`])
    expect(a.door.send(accountOf(2), Uint8Array.of(1))).toBe(false)
  })

  it('are not believed without their key', async () => {
    const net = new MemoryNet()
    const a = await end(net, 1)
    const stolen = bindingOf(3).prove(new Uint8Array(38)) // made for another peer id
    const thief = await end(net, 2, { prove: () => stolen, check: bindingOf(2).check })
    const garbage = await end(net, 4, { prove: () => concatBytes(bytesOf(accountOf(3)), Uint8Array.of(1)), check: bindingOf(4).check })
    for (const { door } of [thief, garbage]) {
      void door.dial(a.address).catch(() => undefined)
      await turns()
    }
    expect(a.events.filter((event) => event.startsWith(`+${accountOf(3)}`))).toEqual([])
    expect(a.penalties()).toBeGreaterThanOrEqual(5)
  })

  it('are met when the room behind the lane is there, and when they are welcome', async () => {
    const net = new MemoryNet()
    const [a, b] = [await end(net, 1, null), await end(net, 2)]
    const dial = b.door.dial(a.address)
    await turns()
    await dial
    expect([a.events, b.events]).toEqual([[], []])
    a.lane.bind(bindingOf(1))
    await turns()
    expect([a.events, b.events]).toEqual([[`+${accountOf(2)}`], [`+${accountOf(1)}`]])
    a.unwelcome.add(documentsOf(2).self)
    a.lane.look()
    expect(a.events.at(-1)).toBe(`-${accountOf(2)}`)
    b.door.send(accountOf(1), Uint8Array.of(5))
    await turns()
    expect(a.events).toHaveLength(2)
    a.unwelcome.clear()
    a.lane.look()
    expect(a.events.at(-1)).toBe(`+${accountOf(2)}`)
  })

  it('of strangers are not told ours', async () => {
    const net = new MemoryNet()
    const [a, b] = [await end(net, 1), await end(net, 2)]
    a.unwelcome.add(documentsOf(2).self)
    const dial = b.door.dial(a.address)
    await turns()
    await dial
    expect([a.events, b.events]).toEqual([[], []])
    a.unwelcome.clear()
    a.lane.look()
    await turns()
    expect([a.events, b.events]).toEqual([[`+${accountOf(2)}`], [`+${accountOf(1)}`]])
  })

  it('that show up at another box are there from now on', async () => {
    const net = new MemoryNet()
    const a = await end(net, 1)
    const [before, after] = [await end(net, 2), await end(net, 3, bindingOf(2), accountOf(2))]
    for (const { door } of [before, after]) {
      const dial = door.dial(a.address)
      await turns()
      await dial
    }
    expect(a.events).toEqual([`+${accountOf(2)}`, `-${accountOf(2)}`, `+${accountOf(2)}`])
    expect(a.lane.boxOf(accountOf(2))).toBe(documentsOf(3).self)
    a.door.send(accountOf(2), Uint8Array.of(7))
    await turns()
    expect(after.events.at(-1)).toBe(`${accountOf(1)} 0x07`)
    expect(before.events.at(-1)).toBe(`-${accountOf(1)}`)
  })

  it('are told gone when the lane is closed, and nothing after it', async () => {
    const net = new MemoryNet()
    const [a, b] = [await end(net, 1), await end(net, 2)]
    const dial = a.door.dial(b.address)
    await turns()
    await dial
    await b.door.close()
    expect(b.events.at(-1)).toBe(`-${accountOf(1)}`)
    a.door.send(accountOf(2), Uint8Array.of(1))
    await turns()
    expect(b.events).toHaveLength(2)
  })
})
