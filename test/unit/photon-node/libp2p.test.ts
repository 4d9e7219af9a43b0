import { afterEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import { createPeerBinding } from '../../../src/photon/node/index.ts'
import { Libp2pTransport } from '../../../src/photon/node/io/libp2p-transport.ts'
import { createDigests } from '../../../src/photon/wire/index.ts'
import { Box, DOMAIN, accountSigner, channelOf, keyOf, noble, tempDir, until } from './box.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean()
})

const digests = createDigests(DOMAIN, (data) => noble.keccak256(data))
const bindingOf = (key: number): ReturnType<typeof createPeerBinding> => createPeerBinding({ digests, signer: accountSigner(noble, keyOf(key)), secp256k1: noble, issuedSeconds: () => 1_800_000_000 })

async function transport(key: number, binding = bindingOf(key)): Promise<Libp2pTransport> {
  const made = new Libp2pTransport({ account: accountSigner(noble, keyOf(key)).account, binding, seed: keyOf(100 + key), listen: ['/ip4/127.0.0.1/tcp/0'], clock: new SystemClock('always'), timers: systemTimers, log: silentLog, maxPeers: 4, keeps: () => false })
  await made.start()
  cleanUps.push(() => made.close())
  return made
}

describe('over libp2p', () => {
  test('two nodes pay each other; after a cut they go on', async () => {
    const [ta, tb] = [await transport(1), await transport(2)]
    const [a, b] = [new Box({ key: 1, dir: tempDir(cleanUps), transport: ta }), new Box({ key: 2, dir: tempDir(cleanUps), transport: tb })]
    cleanUps.push(() => a.stop(), () => b.stop())
    a.node.start()
    b.node.start()
    await a.open(b.account, 1000n)
    await b.open(a.account, 1000n)
    const channel = channelOf(a.account, b.account)
    for (let round = 0; round < 2; round++) {
      await ta.dial(tb.addresses()[0] ?? '')
      await until(() => a.node.isReady(channel) && b.node.isReady(channel))
      const payments = await Promise.all(Array.from({ length: 10 }, () => a.node.payDirect({ channel, amount: 2n })))
      await Promise.all(payments.map((payment) => payment.delivered))
      ta.disconnect(b.account, 'the test cuts it')
      await until(() => !tb.isConnected(a.account) && !ta.isConnected(b.account))
    }
    expect(b.node.channel(channel)?.partner.transferred).toBe(40n)
  })

  test("a peer that shows somebody else's binding is not let in", async () => {
    const thief = { prove: () => bindingOf(3).prove(new Uint8Array(38).fill(9)), check: bindingOf(1).check }
    const [ta, tb] = [await transport(1, thief), await transport(2)]
    const seen: string[] = []
    tb.onConnected((peer) => seen.push(peer))
    await ta.dial(tb.addresses()[0] ?? '')
    await until(() => ta.peers().length > 0) // b's own binding is right
    await until(() => ta.peers().length === 0) // b has ended it
    expect(seen).toEqual([])
  })
})

describe('a peer that is held back', () => {
  test('stays so though the hold comes while it is let go on: no frame is lost, the connection stands', async () => {
    const [ta, tb] = [await transport(1), await transport(2)]
    await ta.dial(tb.addresses()[0] ?? '')
    await until(() => ta.isConnected(tb.self) && tb.isConnected(ta.self))
    let ended = false
    tb.onDisconnected(() => (ended = true))
    let pings = 0
    ta.onFrame(() => pings++)
    const seen: number[] = []
    tb.onFrame((from, frame) => {
      seen.push(new DataView(frame.buffer, frame.byteOffset).getUint32(0))
      tb.pause(from)
    })
    const count = 1500 // 1.6 MiB: six windows, and more than a stream keeps that nobody reads
    tb.pause(ta.self)
    for (let index = 0; index < count; index++) {
      const frame = new Uint8Array(1100)
      new DataView(frame.buffer).setUint32(0, index)
      expect(ta.send(tb.self, frame)).toBe(true)
    }
    while (seen.length < count && !ended) {
      // Behind each of these the peer knows of every window that was opened to it before.
      for (let ping = 0; ping < 20 && !ended; ping++) {
        const expected = pings + 1
        tb.send(ta.self, Uint8Array.of(1))
        await until(() => pings === expected || ended)
      }
      tb.resume(ta.self)
    }
    expect(ended).toBe(false)
    expect(seen).toEqual(Array.from({ length: count }, (_, index) => index))
  })
})

describe('the binding of a peer id to an account', () => {
  test('holds for that peer id and that account only', () => {
    const binding = bindingOf(1)
    const [id, other] = [new Uint8Array(38).fill(1), new Uint8Array(38).fill(2)]
    const proof = binding.prove(id)
    expect(binding.check(id, proof)).toBe(accountSigner(noble, keyOf(1)).account)
    expect(binding.check(other, proof)).toBeNull()
    for (let at = 0; at < proof.length; at += 7) {
      const changed = proof.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(binding.check(id, changed)).toBeNull()
    }
    expect(binding.check(id, proof.subarray(1))).toBeNull()
    expect(binding.check(id, new Uint8Array(0))).toBeNull()
  })
})
