/** Boxes that are guests: served within bounds, never believed, and partners apart from strangers. */
import { beforeEach, describe, expect, it } from 'vitest'
import { DEVNET as DEVNET_NETWORK } from '../../../src/spectrum/network/networks.ts'
import { CODE, decodeHeaders, decodeNewBlock, decodeNewBlockHashes, decodeNodes, decodeStatus, encodeGetHeaders, encodeHashes, encodeItems, encodeNewBlock, encodeStatus, encodeTransactions, frameOf, messageOf } from '../../../src/spectrum/source/eth63.ts'
import type { Message } from '../../../src/spectrum/source/eth63.ts'
import { ServedGuests } from '../../../src/spectrum/source/guests.ts'
import type { GuestChainTransport } from '../../../src/spectrum/source/guests.ts'
import { PassingOn } from '../../../src/spectrum/source/passing-on.ts'
import type { Elsewhere, MeshHandlers } from '../../../src/spectrum/source/index.ts'
import { ALL_GUESTS_BYTES, ALL_OFFERED_TRANSACTIONS, GUEST_BYTES, GUEST_QUESTIONS, OFFERED_TRANSACTIONS, MAX_GUEST_WAIT_MS, MAX_OUTSTANDING_REQUESTS, MAX_POOLED_TRANSACTION_BYTES, REQUEST_TIMEOUT_MS } from '../../../src/spectrum/source/limits.ts'
import { FakeTime } from '../../support/fakes.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET_NODES } from '../spectrum/devnet.ts'
import { MapServer, blockOf, devnet } from './towns.ts'

const KIB = 1024
const HEIGHT = 20

/** Bodies of a size that the test chooses. */
class HeavyServer extends MapServer {
  bodyBytes: number | null = null

  override bodies(hashes: Parameters<MapServer['bodies']>[0]): readonly Uint8Array[] {
    return this.bodyBytes === null ? super.bodies(hashes) : hashes.map(() => new Uint8Array(this.bodyBytes ?? 0))
  }
}

class Guest implements GuestChainTransport {
  readonly guest: string
  isKept: boolean
  readonly told: Message[] = []
  closed: string | null = null
  #handlers: MeshHandlers | null = null

  constructor(guest: string, isKept = false) {
    this.guest = guest
    this.isKept = isKept
  }

  isPartner(): boolean {
    return this.isKept
  }
  announce(frame: Uint8Array): boolean {
    this.told.push(messageOf(frame))
    return true
  }
  serve(handlers: MeshHandlers): void {
    this.#handlers = handlers
  }
  close(reason: string): void {
    this.closed ??= reason
    this.#handlers?.onClosed(reason)
  }
  ask(message: Message): Promise<Message> {
    const { onRequest } = this.#handlers ?? {}
    if (onRequest === undefined) throw new Error('nobody serves')
    return onRequest(frameOf(message)).then(messageOf)
  }
  say(message: Message): void {
    this.#handlers?.onAnnouncement(frameOf(message))
  }
}

let time: FakeTime
let server: HeavyServer
let offered: Uint8Array[]
beforeEach(() => {
  time = new FakeTime()
  server = new HeavyServer(HEIGHT)
  offered = []
})

function served(elsewhere: Elsewhere | null = null): ServedGuests {
  const offer = (transaction: Uint8Array): Promise<void> => Promise.resolve(void offered.push(transaction))
  return new ServedGuests({ server, passingOn: elsewhere === null ? null : () => new PassingOn(elsewhere, { clock: time, timers: time }), keccak: native, clock: time, timers: time, offer })
}

function guestOf(guests: ServedGuests, name = '10.5.0.2', isKept = false): Guest {
  const guest = new Guest(name, isKept)
  guests.serve(guest)
  return guest
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 8; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** How each answer ended, `waits` for one that has not. */
function outcomes(answers: readonly Promise<unknown>[]): string[] {
  const states = answers.map(() => 'waits')
  answers.forEach((answer, index) => {
    answer.then(
      () => (states[index] = 'answered'),
      (thrown: unknown) => (states[index] = (thrown as { kind?: string }).kind ?? 'error'),
    )
  })
  return states
}

const headers = (count: number, from = 1): Message => encodeGetHeaders({ from, count, skip: 0, isReverse: false })
const aBody = (): Message => encodeHashes(CODE.getBodies, [devnet(1).hash])
const status = (more: Partial<Parameters<typeof encodeStatus>[0]> = {}): Message =>
  encodeStatus({ version: 63, networkId: BigInt(DEVNET_NETWORK.networkId), totalDifficulty: 1n, head: devnet(0).hash, genesis: DEVNET_NETWORK.genesisHash, ...more })
/** RLP of a list of one string. */
const transactionOf = (bytes: number, fill = 1): Uint8Array => Uint8Array.from([0xf9, ((bytes + 3) >> 8) & 0xff, (bytes + 3) & 0xff, 0xb9, (bytes >> 8) & 0xff, bytes & 0xff, ...new Uint8Array(bytes).fill(fill)])

describe('a guest', () => {
  it('is told the head, headers, and state by hash', async () => {
    const guest = guestOf(served())
    expect(decodeStatus((await guest.ask(status())).payload)).toMatchObject({ head: server.head().hash, genesis: DEVNET_NETWORK.genesisHash })
    expect(decodeHeaders((await guest.ask(headers(3))).payload)).toEqual([1, 2, 3].map((number) => devnet(number).rlp))
    const [found] = DEVNET_NODES
    if (found === undefined) throw new Error('no state in the vectors')
    const [hash, node] = found
    expect(decodeNodes((await guest.ask(encodeHashes(CODE.getNodes, [hash]))).payload)).toEqual([node])
    expect(guest.closed).toBeNull()
  })

  it.each([
    ['of another chain', status({ genesis: devnet(1).hash })],
    ['of another network', status({ networkId: 7n })],
    ['that asks what is no request', encodeItems(CODE.headers, [])],
    ['whose request is malformed', { code: CODE.getHeaders, payload: Uint8Array.of(1, 2, 3) }],
    ['that asks by a hash that is none', encodeHashes(CODE.getNodes, ['0x1234'])],
  ])('%s is let go', async (_name, message) => {
    const guests = served()
    const guest = guestOf(guests)
    await expect(guest.ask(message)).rejects.toThrow()
    expect([guest.closed, guests.size]).toEqual([expect.any(String), 0])
    await expect(guest.ask(headers(1))).rejects.toMatchObject({ kind: 'unavailable' })
  })

  it('is not believed: its blocks are no news, what else it says ends it', () => {
    const guests = served()
    const guest = guestOf(guests)
    guest.say(encodeNewBlock({ header: devnet(21).rlp, body: devnet(21).bodyRlp, totalDifficulty: 10n ** 30n }))
    expect([guest.closed, guest.told, offered]).toEqual([null, [], []])
    guest.say(encodeItems(CODE.headers, [devnet(21).rlp]))
    expect([guest.closed, guests.size]).toEqual([expect.any(String), 0])
  })

  it('that asks more than following a chain takes is refused, not let go, and asks again later', async () => {
    const guests = served()
    const guest = guestOf(guests)
    for (let i = 0; i < GUEST_QUESTIONS.burst; i++) await guest.ask(headers(1))
    await expect(guest.ask(headers(1))).rejects.toMatchObject({ kind: 'limit', code: 'source-busy' })
    // Coming again is no new allowance; another device has its own.
    await expect(guestOf(guests).ask(headers(1))).rejects.toMatchObject({ kind: 'limit' })
    await guestOf(guests, '10.5.0.3').ask(headers(1))
    expect(guest.closed).toBeNull()
    time.advance(1000)
    await guest.ask(headers(1))
  })

  it('that asks for more than its bytes waits for them; all that a box asks at once is answered before it gives up', async () => {
    const guest = guestOf(served(), '10.5.0.2', true)
    server.bodyBytes = 128 * KIB
    for (let spent = 0; spent + 130 * KIB < GUEST_BYTES.burst; spent += 128 * KIB) await guest.ask(aBody())
    const states = outcomes(Array.from({ length: MAX_OUTSTANDING_REQUESTS }, () => guest.ask(aBody())))
    await turns()
    expect(states).toEqual(states.map(() => 'waits'))
    expect(MAX_GUEST_WAIT_MS).toBeLessThan(REQUEST_TIMEOUT_MS)
    for (let at = 0; at < REQUEST_TIMEOUT_MS; at += 1000) {
      time.advance(1000)
      await turns()
    }
    expect(states).toEqual(states.map(() => 'answered'))
  })

  it('that would wait too long is refused instead, before anything is read for it', async () => {
    const guest = guestOf(served())
    server.bodyBytes = 900 * KIB
    const states = outcomes(Array.from({ length: 10 }, () => guest.ask(aBody())))
    await turns()
    expect(states.filter((state) => state === 'limit').length).toBeGreaterThan(0)
    server.asked.length = 0
    await expect(guest.ask(headers(1))).rejects.toMatchObject({ kind: 'limit' })
    expect([server.asked, guest.closed]).toEqual([[], null])
  })

  it('is asked for state elsewhere when this box keeps none', async () => {
    const asked: string[] = []
    const guests = served({ nodes: (hashes) => (asked.push(...hashes), Promise.resolve([Uint8Array.of(7)])), receipts: () => Promise.resolve(null) })
    expect(decodeNodes((await guestOf(guests).ask(encodeHashes(CODE.getNodes, [devnet(1).hash]))).payload)).toEqual([Uint8Array.of(7)])
    expect(asked).toEqual([devnet(1).hash])
  })
})

describe('strangers', () => {
  it('that ask for all they can get take nothing from partners', async () => {
    const guests = served()
    const partner = guestOf(guests, '10.5.0.2', true)
    server.bodyBytes = 512 * KIB
    const states = outcomes(Array.from({ length: 8 }, (_, i) => [1, 2].map(() => guestOf(guests, `10.5.1.${i}`).ask(aBody()))).flat())
    await turns()
    expect(ALL_GUESTS_BYTES.burst).toBeLessThan(16 * 512 * KIB)
    expect([states.includes('waits'), states.includes('limit')]).toEqual([true, true])
    await expect(guestOf(guests, '10.5.2.1').ask(aBody())).rejects.toMatchObject({ kind: 'limit' })
    expect((await partner.ask(aBody())).code).toBe(CODE.bodies)
  })

  it('whose transactions are too many leave room for partners', () => {
    const guests = served()
    const partner = guestOf(guests, '10.5.0.2', true)
    for (let i = 0; i < 16; i++) guestOf(guests, `10.5.1.${i}`).say(encodeTransactions(Array.from({ length: 20 }, () => transactionOf(300))))
    expect(offered).toHaveLength(ALL_OFFERED_TRANSACTIONS.burst)
    partner.say(encodeTransactions([transactionOf(300, 9)]))
    expect(offered).toHaveLength(ALL_OFFERED_TRANSACTIONS.burst + 1)
  })
})

describe('transactions of a guest', () => {
  it('go to the pool, each by itself and no window on what was read', () => {
    guestOf(served()).say(encodeTransactions([transactionOf(300), transactionOf(400)]))
    expect(offered).toEqual([transactionOf(300), transactionOf(400)])
    expect(offered.map(({ length, buffer }) => buffer.byteLength === length)).toEqual([true, true])
  })

  it('are so many and no more, whatever else it is; the rest comes again', () => {
    const guests = served()
    const guest = guestOf(guests)
    guest.say(encodeTransactions(Array.from({ length: 50 }, () => transactionOf(300))))
    expect(offered).toHaveLength(OFFERED_TRANSACTIONS.burst)
    guestOf(guests).say(encodeTransactions([transactionOf(300)]))
    expect([offered.length, guest.closed]).toEqual([OFFERED_TRANSACTIONS.burst, null])
    time.advance(5_000)
    guest.say(encodeTransactions([transactionOf(300)]))
    expect(offered).toHaveLength(OFFERED_TRANSACTIONS.burst + 1)
  })

  it('that no pool takes for their size are left out; a malformed list ends it', () => {
    const guest = guestOf(served())
    guest.say(encodeTransactions([transactionOf(MAX_POOLED_TRANSACTION_BYTES), transactionOf(300)]))
    expect(offered).toEqual([transactionOf(300)])
    guest.say({ code: CODE.transactions, payload: Uint8Array.of(0x83, 1, 2, 3) })
    expect(guest.closed).not.toBeNull()
  })
})

describe('a new block', () => {
  it('is told whole to who is there, a large one by its hash, and nothing to who has gone', () => {
    const guests = served()
    const [guest, gone] = [guestOf(guests), guestOf(guests, '10.5.0.3')]
    gone.close('it goes')
    guests.announceBlock(blockOf(20), 77n)
    expect(gone.told).toEqual([])
    expect(decodeNewBlock(guest.told[0]?.payload ?? new Uint8Array())).toEqual({ header: devnet(20).rlp, body: devnet(20).bodyRlp, totalDifficulty: 77n })
    const { header, body } = blockOf(21)
    const [transaction] = devnet(1).body.transactions.concat(...Array.from({ length: HEIGHT }, (_, i) => devnet(i).body.transactions))
    if (transaction === undefined) throw new Error('no transaction in the vectors')
    guests.announceBlock({ header, body: { ...body, transactions: [{ ...transaction, data: new Uint8Array(70 * KIB) }] } }, 78n)
    expect(decodeNewBlockHashes(guest.told[1]?.payload ?? new Uint8Array())).toEqual([{ hash: devnet(21).hash, number: 21 }])
  })
})

it('the end ends all of them, once', async () => {
  const guests = served()
  const all = [guestOf(guests), guestOf(guests, '10.5.0.3')]
  guests.close('we stop')
  guests.close('we stop')
  expect([all.map(({ closed }) => closed), guests.size]).toEqual([['we stop', 'we stop'], 0])
  await expect(all[0]?.ask(status())).rejects.toMatchObject({ kind: 'unavailable' })
  guests.announceBlock(blockOf(20), 77n)
  expect(all.flatMap(({ told }) => told)).toEqual([])
})
