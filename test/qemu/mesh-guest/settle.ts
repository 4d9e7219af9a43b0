/**
 * Four boxes in a line on real batman-adv: each has its own settlement desk and database, and the kernel's counters and gate of its
 * own namespace. What stands in: frames between the desks go through memory (libp2p is test/netns and test/unit), time is
 * moved by hand, and a bank pays in place of channels.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import { createDocuments } from '../../../src/mesh/documents/index.ts'
import { CarryKernel } from '../../../src/mesh/io/carry-kernel.ts'
import { CARRIAGE_LANE, PRICE_LANE, RelayDesk, meteringMigrations, orderMigrations } from '../../../src/mesh/metering/index.ts'
import type { BoxId, PeerLane, PeerProtocol, PeerSide } from '../../../src/mesh/ports.ts'
import { loadNfnetlink } from '../../../src/native/index.ts'
import type { Nfnetlink, Secp256k1 } from '../../../src/native/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { Bank, TOKEN } from '../../unit/mesh-metering/village.ts'
import type { Checks } from '../genetlink-guest/checks.ts'
import { FRAME_BYTES, PING_BYTES } from './carry.ts'
import { LINE, Roofs } from './roofs.ts'

/** What each keeps for a MiB; the last has the way out. */
const OWN_UNITS = { a: 2n, b: 300n, c: 500n, d: 1100n } as const
/** What a box pays to the one behind it: the sum from there on. */
const ASKED = { b: 1900n, c: 1600n, d: 1100n } as const
const ROUND_MS = 5000
const BUSY_ROUNDS = 5
const PINGS = 300
/** Units; some 2 MiB of a. */
const MOST_OWED = 4000n
const PER_MIB = 1n << 20n
const MOST_OFF = 0.01

interface Port {
  frame: (from: BoxId, frame: Uint8Array) => void
  open: (peer: BoxId, side: PeerSide) => void
}

interface Box {
  readonly name: keyof typeof OWN_UNITS
  readonly id: BoxId
  readonly account: Address
  readonly store: Store
  readonly netlink: Nfnetlink
  readonly kernel: CarryKernel
  readonly desk: RelayDesk
  readonly ports: ReadonlyMap<string, Port>
}

class Street {
  readonly time = new FakeTime()
  readonly bank = new Bank()
  readonly roofs = new Roofs('BATMAN_IV', LINE)
  readonly boxes: Box[] = []
  readonly penalties: string[] = []
  readonly #dir = mkdtempSync(join(tmpdir(), 'street-'))
  #waiting: { readonly from: Box; readonly to: Box; readonly lane: string; readonly frame: Uint8Array }[] = []

  async add(name: Box['name'], nfnetlink: string, sqlite: string, curve: Secp256k1): Promise<void> {
    const { roofs, time } = this
    const index = roofs.names.indexOf(name)
    const key = new Uint8Array(32).fill(index + 1)
    const addressOf = (secret: Uint8Array): Address => hexOf(curve.keccak256(curve.publicKeyOf(secret).subarray(1)).subarray(12))
    const [id, account] = [addressOf(key), addressOf(new Uint8Array(32).fill(index + 101))]
    const netlink = loadNfnetlink(nfnetlink)?.open({ namespacePath: roofs.path(name) })
    if (netlink === undefined) throw new Error(`${nfnetlink} was not loaded`)
    const kernel = new CarryKernel({ netlink, nft: ['ip', 'netns', 'exec', roofs.place(name), 'nft'], runtimeDir: this.#dir, log: silentLog })
    const near = roofs.neighboursOf(name)
    await kernel.install({ interfaces: near.map((to) => `to-${to}`), own: near.map((to) => roofs.mac(name, to)), isGated: true })
    const store = openStore({ path: join(this.#dir, `${name}.db`), migrations: [...ledgerMigrations, ...meteringMigrations, ...orderMigrations], log: silentLog, nativeBinding: sqlite })
    const ports = new Map<string, Port>()
    const desk = new RelayDesk({
      documents: createDocuments(id, { keccak256: (bytes) => curve.keccak256(bytes), sign: (digest) => curve.sign(digest, key), recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature) }),
      keccak256: (bytes) => curve.keccak256(bytes),
      store,
      ledger: createLedger({ shares: () => [] }),
      tokenName: () => 'MESH',
      priceLane: this.#lane(name, PRICE_LANE, ports),
      carriageLane: this.#lane(name, CARRIAGE_LANE, ports),
      links: { linksOf: (box) => near.filter((other) => this.of(other)?.id === box).map((other) => roofs.mac(other, name)), onChange: () => () => undefined },
      traffic: kernel,
      gate: kernel,
      payments: this.bank.of(account),
      prices: () => ({ self: id, token: TOKEN, payee: account, ownUnitsPerMiB: OWN_UNITS[name], maxUnitsPerMiB: null, hasUplink: name === 'd' }),
      terms: () => ({ maxDebt: MOST_OWED, settleAmount: 100n, spendPerDay: 1n << 90n }),
      clock: time,
      timers: time,
      randomness: seededRandom(index + 1),
      log: silentLog,
    })
    this.boxes.push({ name, id, account, store, netlink, kernel, desk, ports })
  }

  of(name: string): Box | undefined {
    return this.boxes.find((box) => box.name === name)
  }

  async open(): Promise<void> {
    for (const { desk } of this.boxes) await desk.start()
    for (const box of this.boxes)
      for (const near of this.roofs.neighboursOf(box.name)) {
        const other = this.of(near)
        if (other !== undefined) for (const port of box.ports.values()) port.open(other.id, 'mesh')
      }
    await this.#quiet()
  }

  async rounds(count: number, each: () => void = () => undefined): Promise<void> {
    for (let round = 0; round < count; round++) {
      each()
      this.time.advance(ROUND_MS)
      await this.#quiet()
    }
  }

  async remove(): Promise<void> {
    for (const { store, netlink } of this.boxes) {
      await store.close()
      await netlink.close()
    }
    this.roofs.remove()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #quiet(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      const some = this.#waiting.splice(0)
      for (const { from, to, lane, frame } of some) to.ports.get(lane)?.frame(from.id, frame)
      await Promise.all(this.boxes.map(({ desk }) => desk.idle()))
      await new Promise((resolve) => setImmediate(resolve))
      quiet = some.length === 0 && this.#waiting.length === 0 ? quiet + 1 : 0
    }
  }

  #lane(name: string, { name: lane }: PeerProtocol, ports: Map<string, Port>): PeerLane {
    const port: Port = { frame: () => undefined, open: () => undefined }
    ports.set(lane, port)
    return {
      send: (peer, frame) => {
        const [from, to] = [this.of(name), this.boxes.find(({ id }) => id === peer)]
        if (from === undefined || to === undefined || !this.roofs.neighboursOf(name).includes(to.name)) return false
        this.#waiting.push({ from, to, lane, frame })
        return true
      },
      onFrame: (listener) => ((port.frame = listener), () => undefined),
      onOpen: (listener) => ((port.open = listener), () => undefined),
      onClose: () => () => undefined,
      penalise: (_peer, points, reason) => void this.penalties.push(`${name}: ${points} ${reason}`),
    }
  }
}

export async function checkSettlement(nfnetlink: string, sqlite: string, curve: Secp256k1, checks: Checks): Promise<void> {
  const street = new Street()
  const { roofs, bank } = street
  try {
    for (const name of ['a', 'b', 'c', 'd'] as const) await street.add(name, nfnetlink, sqlite, curve)
    await street.open()
    const box = (name: string): Box => street.of(name) as Box
    checks.equal('nobody is let through before it is agreed what that costs', roofs.pings('a', roofs.address('d'), ['-c', '3', '-i', '0.2', '-W', '1']), false)
    const runs = (): boolean => (['a', 'b', 'c'] as const).every((name) => box(name).desk.carriages().some((each) => each.isOurs === 'client' && each.state === 'running'))
    for (let round = 0; round < 20 && !runs(); round++) await street.rounds(1)
    checks.equal('three carriages run, for the sum of what lies behind', (['a', 'b', 'c'] as const).map((name) => box(name).desk.carriages().find((each) => each.isOurs === 'client')?.unitsPerMiB), [ASKED.b, ASKED.c, ASKED.d])
    await checks.until('a reaches d', () => roofs.pings('a', roofs.address('d')), Boolean)
    await street.rounds(2)

    const paidBefore = bank.total(box('a').account, box('b').account)
    let frames = 0n
    await street.rounds(BUSY_ROUNDS, () => {
      const said = roofs.in('a', 'ping', '-q', '-f', '-c', String(PINGS), '-s', String(PING_BYTES), '-w', '60', roofs.address('d'))
      frames += BigInt(/(\d+) received/.exec(said)?.[1] ?? 0) * 2n
    })
    await street.rounds(14)
    const bytes = frames * FRAME_BYTES
    checks.add('most of the pings came back', frames >= BigInt(BUSY_ROUNDS * PINGS * 2 * 9) / 10n, frames)
    const hops = [['a', 'b'], ['b', 'c'], ['c', 'd']] as const
    for (const [payer, payee] of hops) {
      const [paid, due] = [bank.total(box(payer).account, box(payee).account) - (payer === 'a' ? paidBefore : 0n), (bytes * ASKED[payee]) / PER_MIB]
      checks.add(`${payer} paid ${payee} for what the ends know was carried, at most 1 % off`, Math.abs(Number(paid - due)) <= Math.max(Number(due) * MOST_OFF, 30), { paid, due })
      checks.notes[`${payer} → ${payee}: paid, due for the pings alone`] = `${paid}, ${due}`
    }
    for (const [payer, payee] of hops) {
      const booked = balanceOf(box(payee).store, 'owner')
      checks.equal(`${payee} booked what ${payer} paid, to the unit`, -booked, bank.total(box(payer).account, box(payee).account))
      checks.equal(`${payer} booked it as its cost, to the unit`, balanceOf(box(payer).store, 'cost:relay'), bank.total(box(payer).account, box(payee).account))
    }
    checks.equal('nobody was penalised', street.penalties, [])

    bank.isShut = true
    for (let round = 0; round < 60 && !box('b').desk.carriages().some((each) => each.isOurs === 'carrier' && each.state === 'in-debt'); round++)
      await street.rounds(1, () => void roofs.pings('a', roofs.address('d'), ['-f', '-c', '800', '-s', '1400', '-w', '20']))
    checks.add('who cannot pay is in debt', box('b').desk.carriages().some((each) => each.isOurs === 'carrier' && each.state === 'in-debt'), box('b').desk.carriages())
    checks.equal('and its gate is shut in the kernel', roofs.pings('a', roofs.address('d'), ['-c', '3', '-i', '0.2', '-W', '1']), false)
    bank.isShut = false
    for (let round = 0; round < 30 && !roofs.pings('a', roofs.address('d')); round++) await street.rounds(1)
    checks.equal('it pays: the gate opens', roofs.pings('a', roofs.address('d'), ['-c', '3', '-i', '0.2', '-W', '5']), true)
  } finally {
    await street.remove()
  }
}

function balanceOf(store: Store, account: string): bigint {
  const ledger = createLedger({ shares: () => [] })
  return store.read((tx) => ledger.balance(tx, account, 'MESH'))
}
