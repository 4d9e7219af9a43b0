/**
 * A box of the town: the real hotspot, the real tenants' house, the real payment channels, streams and settlement with neighbours on one SQLite file, in one process that dies at any
 * edge of a commit, with a clock of its own. The kernel, the radio and the wire are models.
 */
import { MeshBoxError, momentOf, silentLog, utf8 } from '../../../src/base/index.ts'
import type { Address, Cancel } from '../../../src/base/index.ts'
import type { ClientAddress } from '../../../src/hotspot/index.ts'
import type { AuditReport } from '../../../src/audit/index.ts'
import { LateFrames } from '../../../src/iot/late/index.ts'
import { iotMigrations } from '../../../src/iot/tables/index.ts'
import { createTenantHouse } from '../../../src/iot/tenants/index.ts'
import type { TenantHouse } from '../../../src/iot/tenants/index.ts'
import { IOT_NOTE, IotPayments } from '../../../src/main/iot-payments.ts'
import { meshMigrations } from '../../../src/mesh/tables/index.ts'
import { Alarms } from '../../../src/photon/box/alarms.ts'
import { ChannelPayer } from '../../../src/photon/box/channel-payer.ts'
import { PaymentModes } from '../../../src/photon/box/payment-modes.ts'
import { savePosition } from '../../../src/photon/chain/io/index.ts'
import { PhotonNode } from '../../../src/photon/node/index.ts'
import type { ChannelEvent } from '../../../src/photon/ports.ts'
import type { Path, PathRequest } from '../../../src/photon/ports.ts'
import { payoutMigrations } from '../../../src/payout/tables/index.ts'
import { photonMigrations } from '../../../src/photon/tables/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { auditOf, keyFrom } from '../../support/audited.ts'
import type { Key } from '../../support/audited.ts'
import { CrashBox } from '../../support/crash-box.ts'
import { seededRandom } from '../../support/fakes.ts'
import { guest, settle, testSigner } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'
import { FakeAir, FakeServer, NWK_KEY, heardOf, keccak, tenant, uplink } from '../../unit/iot-tenants/tenant-box.ts'
import { MemoryDoor } from '../../unit/photon-box/street.ts'
import type { Net } from '../../unit/photon-box/street.ts'
import { DOMAIN, TOKEN, TestMoments, accountSigner, channelOf, openingEvents } from '../../unit/photon-node/box.ts'
import { Carrying, MAX_DEBT, SETTLE_AMOUNT, documentsOf } from './carrying.ts'
import { curve } from './curve.ts'
import { MeshEnd } from './mesh-wire.ts'
import type { MeshWire } from './mesh-wire.ts'
import type { PaperContract } from './paper-contract.ts'
import { OFFLINE_EXPOSURE, PayingGuests } from './paying-guests.ts'
import { Walking } from './walking-guests.ts'

export const DEPOSIT = 1_000_000_000n
/** Units that a tenant may owe; a unit costs 10. */
const WINDOW = 400n
const DEV_ADDR = 0x2601_0001
export const CONFIG = `config token 'token'\n\toption symbol 'MBX'\n\toption decimals '6'\nconfig photon 'photon'\n\tlist tokens '${TOKEN}:MBX:6'\n\toption max_offline_exposure '0.003'\nconfig mesh 'mesh'\n\toption max_debt '0.00${MAX_DEBT}'\n`
/** Devices of guests who pay by the second: behind those of who ever buys a voucher. */
const PAYING_FROM = 900
const DISK_FULL = new MeshBoxError('unavailable', 'there is no room on the disk', { code: 'store-full' })

/** What lives and dies with the process, beside the hotspot. */
interface Life {
  readonly node: PhotonNode
  readonly house: TenantHouse
  readonly payments: IotPayments
  readonly door: MemoryDoor
  readonly end: MeshEnd
}

export class TownBox {
  readonly key: Key
  readonly crash: CrashBox
  readonly moments = new TestMoments()
  readonly paying: PayingGuests
  readonly carrying: Carrying
  readonly walking: Walking
  readonly server = new FakeServer()
  /** With which it has channels; and all that it can talk to. */
  readonly neighbours: TownBox[] = []
  readonly others: TownBox[] = []
  /** What happened, to see that it was hard. */
  deaths = 0
  sold = 0
  fCnt = 0
  #life: Life | null = null
  #guests = 0
  /** Its process is gone, or its power. */
  onOff: (kind: 'service' | 'power') => void = () => undefined
  readonly #cancels: Cancel[] = []
  /** Time is about to pass here. */
  onPass: (ms: number) => void = () => undefined
  readonly #net: Net
  readonly #wire: MeshWire
  readonly #contract: PaperContract
  readonly #seed: number

  constructor(index: number, seed: number, net: Net, wire: MeshWire, contract: PaperContract) {
    this.key = keyFrom(`town ${seed} box ${index}`)
    this.#net = net
    this.#wire = wire
    this.#contract = contract
    this.#seed = seed * 100 + index
    const changes = { config: { shares: [{ id: 'lender', role: 'investor' as const, beneficiary: 'lender', partsPerMillion: 250_000, sources: [] }] } }
    const options = { signer: { ...testSigner, address: this.account }, visitJournal: { read: () => this.walking.journal.read(), write: (text: string) => this.walking.journal.write(text) } }
    this.crash = new CrashBox(changes, { options, migrations: [...photonMigrations, ...meshMigrations, ...iotMigrations, ...payoutMigrations], begin: (box, store) => this.#begin(box, store) })
    this.walking = new Walking(this.account, this.crash)
    this.carrying = new Carrying(this.account, index, this.crash)
    this.paying = new PayingGuests(this.key, this.#seed * 1000 + PAYING_FROM, this.crash, this.moments)
  }

  get account(): Address {
    return this.key.address
  }
  get life(): Life {
    if (this.#life === null) throw new Error('this box is off')
    return this.#life
  }
  get isOn(): boolean {
    return this.#life !== null && !this.crash.isDead
  }

  #begin(box: TestBox, store: Store): void {
    const { time } = this.crash
    const door = new MemoryDoor(this.#net, this.account)
    const node = new PhotonNode({
      domain: DOMAIN,
      keccak256: (bytes) => curve.keccak256(bytes),
      signer: accountSigner(curve, this.key.secret),
      recovery: curve,
      store,
      transport: door,
      clock: time,
      timers: time,
      randomness: seededRandom(this.#seed * 1000 + this.deaths),
      soon: (work) => void setImmediate(work),
      log: silentLog,
      moments: { now: () => this.moments.now(), onChange: (listener) => this.#whileOn(this.moments.onChange(listener)) },
      duties: { put: () => undefined },
      roleOf: (_, partner) => (this.others.some(({ account }) => account === partner) ? 'core' : 'leaf'),
      rules: { maxOfflineExposure: OFFLINE_EXPOSURE },
      router: { find: (request) => this.#paths(request), report: () => undefined },
      // As photon/box posts it.
      fees: {
        post: (tx, { paymentKey, amount, from }) => {
          if (amount > 0n) box.ledger.earn(tx, { source: 'photon:fee', token: 'MBX', amount, from: `photon:${from}`, evidence: { type: 'payment', id: `${paymentKey.length}:${Buffer.from(keccak(utf8(paymentKey))).toString('hex')}` }, at: momentOf(time) })
        },
      },
      feeFor: () => 1n,
    })
    const direct = new ChannelPayer(node, new PaymentModes(new Alarms(time, silentLog, () => undefined)))
    const payments = new IotPayments({ store, channels: { direct: () => direct }, timers: time, log: silentLog })
    const house = createTenantHouse({
      store,
      ledger: box.ledger,
      seal: { seal: (key) => key, open: (sealed) => sealed },
      signer: { address: this.account, sign: async (digest) => curve.sign(digest, this.key.secret) },
      keccak,
      chainId: DOMAIN.chainId,
      payments,
      channels: { channelOf: () => null },
      contest: { isOurs: async () => true },
      downlinks: new FakeAir(),
      late: new LateFrames(1 << 20),
      tokenSymbol: () => 'MBX',
      airPrice: (price) => price,
      openDelivery: () => this.server,
      isOwnDevice: () => false,
      clock: time,
      timers: time,
      log: silentLog,
    })
    const end = new MeshEnd(this.#wire, this.account, time, () => this.#life?.end === end && !this.crash.isDead)
    this.#life = { node, house, payments, door, end }
    this.paying.begin(box, store, node)
    const documents = documentsOf(this.key)
    this.walking.begin(box, { store, documents, end, direct }, { maxDebt: MAX_DEBT, settleAmount: SETTLE_AMOUNT })
    this.carrying.begin({ store, ledger: box.ledger, documents, end, direct, randomness: seededRandom(this.#seed * 2000 + this.deaths) })
  }

  /** Along the line of boxes; each box in between asks for one unit. */
  #paths({ target, amount, maxFee }: PathRequest): readonly (readonly Path[])[] {
    for (const next of this.neighbours)
      for (const last of next.neighbours)
        if (last.account === target && maxFee >= 1n)
          return [[{ hops: [{ node: next.account, channel: channelOf(this.account, next.account), amount: amount + 1n }, { node: last.account, channel: channelOf(next.account, last.account), amount }], amount, fee: 1n }]]
    return []
  }

  /** On, with all rooms; false: it died while it started. */
  async start(): Promise<boolean> {
    this.#life = null
    if (!(await this.crash.start())) return false
    const { life, crash } = this
    const work = (async (): Promise<void> => {
      life.node.start(this.others.map(({ account }) => account))
      await life.door.start()
      await life.payments.start()
      await life.house.start()
    })()
    if ((await this.#attempt(work)) === undefined) return false
    if (life.house.admin.tenants().length === 0) {
      const [payer] = this.neighbours
      if (payer === undefined) throw new Error('a box without neighbours has no tenant')
      await this.#attempt(life.house.admin.put(tenant({ payer: payer.account, creditWindow: WINDOW, prices: { ...tenant().prices, token: TOKEN } })))
      await this.#attempt(life.house.admin.putMicKeys('farm', [{ devAddr: DEV_ADDR, key: NWK_KEY }]))
    }
    for (const other of this.neighbours) {
      if (life.node.channel(channelOf(this.account, other.account)) === undefined)
        for (const event of openingEvents(this.account, other.account, DEPOSIT)) if (!(await this.#happens(event))) return false
    }
    for (const event of this.paying.events()) if (!(await this.#happens(event))) return false
    this.paying.start()
    for (const part of [this.carrying, this.walking]) if ((await this.#attempt(part.start())) === undefined) return false
    this.#wire.join(life.end)
    for (const other of this.others) if (other.isOn) await life.door.dial(`/memory/${other.account}`).catch(() => undefined) // it dials itself when it is there
    return !crash.isDead
  }

  /** Undone when the process is gone. */
  #whileOn(cancel: Cancel): Cancel {
    this.#cancels.push(cancel)
    return cancel
  }

  /** Until it is done, or the process is dead. Time passes meanwhile: work waits for timers. */
  async #attempt<T>(work: Promise<T>): Promise<{ done: T } | { refused: unknown } | undefined> {
    let isOver = false
    const attempted = this.crash.attempt(work).finally(() => (isOver = true))
    for (let rounds = 0; rounds < 400 && !isOver && !this.crash.isDead; rounds++) {
      await settle(2)
      if (!isOver) this.pass(50)
    }
    return this.crash.isDead || !isOver ? undefined : attempted
  }

  /** The process is gone, or the power; on again until it stays on. `nextDeath`: edges until it dies once more; 0: it does not. */
  async restart(kind: 'service' | 'power', nextDeath: number): Promise<void> {
    await this.off(kind)
    await this.comeBack(nextDeath)
  }

  async comeBack(nextDeath: number): Promise<void> {
    this.deaths++
    this.crash.nextDeath = nextDeath
    while (!(await this.start())) {
      this.crash.nextDeath = 0
      await this.off('power')
    }
  }

  async off(kind: 'service' | 'power'): Promise<void> {
    const door = this.#life?.door
    if (this.#life !== null) this.#wire.leave(this.#life.end)
    this.onOff(kind)
    this.#life = null
    for (const cancel of this.#cancels.splice(0)) cancel()
    await door?.close()
    await settle(3)
    this.crash.refusal = null
    this.paying.died(kind)
    this.carrying.died(kind)
    this.walking.died(kind)
    await this.crash.afterDeath(kind, true)
  }

  async sell(minutes: number): Promise<void> {
    await this.sellTo(guest(this.#seed * 1000 + ++this.#guests), minutes > 30 ? 'day-gib' : 'half-hour')
  }

  /** Bought and used at once by this device; its session, and the code. Null: not now. */
  async sellTo(device: ClientAddress, packageId = 'half-hour'): Promise<{ readonly sessionId: string; readonly code: string } | null> {
    this.crash.phase = 'sell'
    const made = await this.#attempt(this.crash.box.voucher(packageId))
    if (made === undefined || !('done' in made)) return null
    const { id, code } = made.done
    const outcome = await this.#attempt(this.crash.box.hotspot.guests.redeem(device, code))
    if (outcome !== undefined && 'done' in outcome) this.sold++
    const sessionId = this.crash.store.read((tx) => tx.get<{ session_id: string | null }>('SELECT session_id FROM hotspot_voucher WHERE id = ?', id))?.session_id ?? null
    return sessionId === null ? null : { sessionId, code }
  }

  async refund(pick: number): Promise<void> {
    this.crash.phase = 'refund'
    const open = this.crash.box.hotspot.owner.sessions({ state: 'open', limit: 20 })
    const session = open[pick % Math.max(1, open.length)]
    if (session !== undefined) await this.#attempt(this.crash.box.hotspot.owner.refund(session.id))
  }

  async hear(isAgain: boolean): Promise<void> {
    this.crash.phase = 'hear'
    if (!isAgain) this.fCnt++
    await this.#attempt(this.life.house.take(heardOf(uplink(this.fCnt, { devAddr: DEV_ADDR })), ['farm']))
  }

  /** By the channel with a neighbour; as its tenant with the note that says so. */
  async pay(to: TownBox, amount: bigint, isForIot: boolean): Promise<void> {
    this.crash.phase = 'pay'
    const { node } = this.life
    const channel = channelOf(this.account, to.account)
    if (node.isReady(channel)) await this.#attempt(node.payDirect({ channel, amount, ...(isForIot ? { data: IOT_NOTE } : {}) }))
  }

  /** What somebody does here; undefined: the box died meanwhile, or refused. */
  async tried<T>(phase: string, work: () => Promise<T>): Promise<T | undefined> {
    this.crash.phase = phase
    const outcome = await this.#attempt(work())
    return outcome !== undefined && 'done' in outcome ? outcome.done : undefined
  }

  fill(isFull: boolean): void {
    this.crash.refusal = isFull ? DISK_FULL : null
  }

  /** Time passes here, while nobody is at work. */
  pass(ms: number): void {
    if (!this.crash.isDead) {
      this.onPass(ms)
      this.crash.pass(ms)
    }
    this.paying.pass(ms)
  }

  /** A block: what this box ordered of the chain lands, and it is told. */
  async mine(): Promise<void> {
    if (!this.isOn || this.moments.moment.isFrozen) return
    this.crash.phase = 'chain'
    const { block } = this.moments.moment
    const events = this.paying.ordered()
    for (const event of events) if (!(await this.#happens(event))) return
    await this.#follow(block)
    this.paying.mined(events)
  }

  /** On the chain, whether or not the box lives to hear of it. False: it does not. */
  async #happens(event: ChannelEvent): Promise<boolean> {
    this.#contract.take(event)
    return (await this.#attempt(this.life.node.onChannelEvent(event))) !== undefined
  }

  /** Up to here the box has the chain's news: they were taken in, whatever dies next. */
  #follow(block: number): Promise<void> {
    return this.crash.store.turn((tx) => savePosition(tx, DOMAIN.contract, { number: block, hash: this.#contract.hashOf(block) }))
  }

  /** Entries of this source in the ledger. */
  entriesOf(source: string): number {
    return this.crash.store.read((tx) => tx.get<{ n: number }>('SELECT count(*) AS n FROM ledger_entries WHERE source = ?', source)?.n ?? 0)
  }

  /** Earnings for another's guests that lie with the tickets they were sold by, so that an audit can look at them. */
  get ticketedStays(): number {
    return this.crash.store.read((tx) => tx.get<{ n: number }>("SELECT count(*) AS n FROM ledger_entries WHERE evidence_type = 'roaming' AND facts LIKE '%ticket1%'")?.n ?? 0)
  }

  earnedOf(source: string): bigint {
    return this.crash.store.read((tx) => tx.all<{ amount: string }>('SELECT amount FROM ledger_entries WHERE source = ?', source)).reduce((sum, { amount }) => sum + BigInt(amount), 0n)
  }

  audit(): Promise<AuditReport> {
    return auditOf({ store: this.crash.store, self: this.account, config: CONFIG, chain: this.#contract.chain() })
  }

  async dispose(): Promise<void> {
    const door = this.#life?.door
    this.#life = null
    await door?.close()
    await settle(3)
    await this.crash.dispose()
  }
}
