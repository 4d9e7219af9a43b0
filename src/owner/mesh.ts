/** The owner's verbs on the mesh: the room's desk in the JSON of api/mesh.ts. Decides nothing about it; what the desk refuses goes out as it is. */
import { MeshBoxError } from '../base/index.ts'
import type { Clock } from '../base/index.ts'
import { qrOutline } from '../hotspot/voucher/index.ts'
import type { AwayGuest, DeskCarriage, MeshDesk, RoamDebt, Visitor } from '../mesh/index.ts'
import type { Money, TokenJson } from './api/amounts.ts'
import type * as Json from './api/mesh.ts'
import type { HealthLine } from './api/status.ts'
import { amountsInTokens, money } from './money.ts'

const DAY_MS = 86_400_000

export interface MeshPort {
  /** Null: it could not be started; `fault` says why. */
  readonly desk: MeshDesk | null
  readonly fault?: string
  /** That carrying is paid in; null: nothing is paid. */
  readonly token: () => TokenJson | null
  /** Null: this box does not know it. */
  readonly tokenAt: (address: string) => TokenJson | null
}

/** The router's files, as far as joining changes them. */
export interface JoinDesk {
  state(): Json.MeshJoiningJson
  /** Errors: input `code`, `name`; conflict `other-community`, `no-radio`, `changed-since`, `nothing-to-undo`; unavailable where a file cannot be written. */
  run(order: Json.MeshJoinRequest): Promise<Json.MeshJoinReply>
}

/** A picture that is younger is of now. */
const FRESH_MS = 1000

/** Where nothing is paid, amounts are nothing of nothing. */
const NO_TOKEN: TokenJson = { symbol: '', decimals: 0 }

export class MeshVerbs {
  readonly #port: MeshPort | null
  readonly #clock: Pick<Clock, 'boottimeMs'>
  readonly #joining: JoinDesk | null
  #lookedMs = Number.NEGATIVE_INFINITY

  constructor(port: MeshPort | null, joining: JoinDesk | null, clock: Pick<Clock, 'boottimeMs'>) {
    this.#port = port
    this.#joining = joining
    this.#clock = clock
  }

  /** Is the box in a mesh, or should it be? */
  get isOn(): boolean {
    return this.#port !== null
  }

  status(): Json.MeshStatusJson {
    const { condition, unitsPerMiB, alarms, purchases, token: _token, ...rest } = this.#desk.status()
    const nowMs = this.#clock.boottimeMs()
    return {
      ...rest,
      condition: { kind: condition.kind, reason: condition.kind === 'up' ? null : condition.reason },
      token: this.#token(),
      price: this.#maybe(unitsPerMiB),
      purchases: purchases.map(({ uplink, paidUntilMs, spentInDay, cap, isSpent, reason }) => ({
        uplink,
        paidForSeconds: paidUntilMs === null || paidUntilMs <= nowMs ? null : Math.ceil((paidUntilMs - nowMs) / 1000),
        spent: this.#money(spentInDay),
        cap: this.#money(cap),
        isSpent,
        reason: amountsInTokens(reason, this.#token()),
      })),
      alarms: alarms.map(({ code, text, sinceMs }) => ({ code, text: amountsInTokens(text, this.#token()), forSeconds: sinceMs === null ? null : this.#since(sinceMs) })),
    }
  }

  peers(): Json.MeshPeersJson {
    const now = this.#clock.boottimeMs()
    return {
      peers: this.#desk.peers().map(({ box, name, standing, standingReason, isConnected, side, address, originator, roundTripMs, penalty, ban }) => ({
        box,
        name,
        standing,
        standingReason,
        isConnected,
        side,
        address,
        originator,
        roundTripMs,
        penalty,
        ban: ban === null ? null : { forSeconds: ban.untilMs === null ? null : Math.max(0, Math.ceil((ban.untilMs - now) / 1000)), reason: ban.reason },
      })),
      members: this.#desk.members().map(({ box, standing, reason }) => ({ box, standing, reason })),
    }
  }

  /** Of now: batman-adv is asked before, at most once a second. */
  async view(): Promise<Json.MeshViewJson> {
    const desk = this.#desk
    if (this.#clock.boottimeMs() - this.#lookedMs >= FRESH_MS) {
      this.#lookedMs = this.#clock.boottimeMs()
      await desk.look()
    }
    const { own, adverts, spending } = this.prices()
    return { status: this.status(), map: this.map(), prices: { own, adverts, spending }, ...this.peers(), wayOut: desk.wayOut(), ...this.invitations(), guests: this.guests() }
  }

  map(): Json.MeshMapJson {
    const { nodes, links, payments, uplinks } = this.#desk.map()
    const connected = new Set(this.#desk.peers().flatMap(({ box, isConnected }) => (isConnected ? [box] : [])))
    return {
      nodes: nodes.map(({ originator, box, name, standing, isSelf, node, unitsPerMiB, hops }) => ({
        originator,
        box,
        name,
        standing,
        isSelf,
        isGone: node?.isGone ?? false,
        forSeconds: node === null ? null : this.#since(node.sinceMs),
        isGateway: node?.gateway != null,
        gateway: node?.gateway ?? null,
        isNeighbour: node?.isNeighbour ?? false,
        isConnected: box !== null && connected.has(box),
        price: this.#maybe(unitsPerMiB),
        hops,
      })),
      links: links.map(({ to, via, tq, throughputKbit, isGone }) => ({ to, via, tq, throughputKbit, isGone })),
      payments: payments.map((each) => this.#carriage(each)),
      uplinks: uplinks.map(({ unitsPerMiB, sinceMs, ...each }) => ({ ...each, cost: this.#money(unitsPerMiB), forSeconds: this.#since(sinceMs) })),
    }
  }

  prices(): Json.MeshPricesJson {
    const { own, adverts, carriages, spending } = this.#desk.prices()
    return {
      token: this.#token(),
      own: own === null ? null : { price: this.#maybe(own.unitsPerMiB), share: this.#money(own.ownUnitsPerMiB), hops: own.hops, via: own.via },
      adverts: adverts.map(({ box, unitsPerMiB, ownUnitsPerMiB, hops, leftSeconds, refusal }) => ({ box, price: this.#maybe(unitsPerMiB), share: this.#money(ownUnitsPerMiB), hops, leftSeconds, refusal: refusal === null ? null : amountsInTokens(refusal, this.#token()) })),
      carriages: carriages.map((each) => this.#carriage(each)),
      spending: spending === null ? null : { spent: this.#money(spending.spent), cap: this.#money(spending.cap), leftSeconds: Math.ceil(spending.leftMs / 1000) },
    }
  }

  /** Errors: not-found `no-mesh-node`. */
  path(to: string): Json.MeshPathJson {
    return { ...this.#desk.path(to), wayOut: this.#desk.wayOut() }
  }

  invitations(): Json.MeshInvitationsJson {
    return { invitations: this.#desk.invitations().map(({ number, uses, usedBy, leftMs }) => ({ number, uses, usedBy, leftSeconds: leftMs === null ? null : Math.ceil(leftMs / 1000) })) }
  }

  /** Errors: forbidden `not-the-community`; conflict `no-code-terms`; limit `code-too-long`, `too-many-invitations`. */
  async invite({ uses = 1, days }: Json.MeshInviteRequest): Promise<Json.MeshInviteReply> {
    const made = await this.#desk.invite({ uses, validMs: days === undefined ? null : days * DAY_MS })
    return { ...made, qr: qrOutline(made.code) }
  }

  /** Errors: forbidden `not-the-community`; not-found `no-invitation`. */
  async takeBack(number: number): Promise<Json.MeshInvitationsJson> {
    await this.#desk.takeBack(number)
    return this.invitations()
  }

  /** Errors: forbidden `not-the-community`; conflict `expel-self`; limit `too-many-expelled`. */
  async expel(box: string): Promise<Json.MeshPeersJson> {
    await this.#desk.expel(boxId(box))
    return this.peers()
  }

  /** Errors: forbidden `not-the-community`. */
  async pardon(box: string): Promise<Json.MeshPeersJson> {
    await this.#desk.pardon(boxId(box))
    return this.peers()
  }

  /** Nothing of ours is spoken with it, whatever the community says of it. On disk when it resolves. */
  async ban(box: string, { reason = 'by the owner' }: Json.MeshBanRequest): Promise<Json.MeshPeersJson> {
    const id = boxId(box)
    if (id === this.#desk.status().self) throw new MeshBoxError('conflict', 'this box cannot ban itself', { code: 'ban-self', field: 'id' })
    await this.#desk.ban(id, reason)
    return this.peers()
  }

  async unban(box: string): Promise<Json.MeshPeersJson> {
    await this.#desk.unban(boxId(box))
    return this.peers()
  }

  /** Errors: not-found `mesh-no-carriage`; conflict `no-relay`. */
  async endCarriage(box: string, { reason = 'by the owner' }: Json.MeshEndRequest): Promise<Json.MeshPricesJson> {
    await this.#desk.endCarriage(boxId(box), reason)
    return this.prices()
  }

  /** Errors: as `endCarriage`. */
  async readmit(box: string): Promise<Json.MeshPricesJson> {
    await this.#desk.readmit(boxId(box))
    return this.prices()
  }

  /** Errors: as `endCarriage`. */
  async writeOff(box: string): Promise<Json.MeshPricesJson> {
    await this.#desk.writeOff(boxId(box))
    return this.prices()
  }

  guests(): Json.MeshGuestsJson {
    const guests = this.#desk.guests()
    if (guests === null) return { walks: false, away: [], visitors: [], debts: [] }
    return { walks: true, away: guests.away.map((each) => this.#away(each)), visitors: guests.visitors.map((each) => this.#visitor(each)), debts: guests.debts.map((each) => this.#debt(each)) }
  }

  joining(): Json.MeshJoiningJson {
    return this.#files.state()
  }

  /** Errors: as JoinDesk.run. */
  join(order: Json.MeshJoinRequest): Promise<Json.MeshJoinReply> {
    return this.#files.run(order)
  }

  /** One line for the box's health; null on a box without a mesh. */
  health(): HealthLine | null {
    if (this.#port === null) return null
    const line = (level: HealthLine['level'], text: string): HealthLine => ({ part: 'mesh', level, text, ...(level === 'ok' ? {} : { advice: 'Look at the page Mesh, or `meshbox mesh status`.' }) })
    if (this.#port.desk === null) return line('bad', `The mesh could not be started: ${this.#port.fault ?? 'see the log'}`)
    const { alarms, nodes, connected } = this.#port.desk.status()
    const [alarm, ...more] = alarms
    if (alarm !== undefined) return line('bad', `Mesh: ${amountsInTokens(alarm.text, this.#token())}${more.length === 0 ? '' : `, and ${more.length} more`}`)
    if (nodes === 0) return line('warn', 'No other box of the mesh is in reach')
    return line('ok', `Mesh: ${nodes} in reach, ${connected} connected`)
  }

  /** Null where there is none, or it could not be started. */
  statusOrNull(): Json.MeshStatusJson | null {
    return this.#port === null || this.#port.desk === null ? null : this.status()
  }

  get #files(): JoinDesk {
    if (this.#joining === null) throw new MeshBoxError('unavailable', "this service cannot change the router's files", { code: 'no-router-files' })
    return this.#joining
  }

  get #desk(): MeshDesk {
    if (this.#port === null) throw new MeshBoxError('unavailable', "this box is in no mesh; join one with `meshbox join`, or give it the role 'relay'", { code: 'no-mesh' })
    const { desk, fault = 'see the log' } = this.#port
    if (desk === null) throw new MeshBoxError('unavailable', `the mesh could not be started: ${fault}; mend that and restart the service`, { code: 'mesh-not-started' })
    return desk
  }

  #token(): TokenJson | null {
    return this.#port?.token() ?? null
  }

  #money(units: bigint): Money {
    return money(units, (this.#token() ?? NO_TOKEN).decimals)
  }

  #maybe(units: bigint | null): Money | null {
    return units === null ? null : this.#money(units)
  }

  #maybeSince(ms: number | null): number | null {
    return ms === null ? null : this.#since(ms)
  }

  #since(ms: number): number {
    return Math.max(0, Math.floor((this.#clock.boottimeMs() - ms) / 1000))
  }

  /** One that is not known: its address, and amounts as they are. */
  #tokenAt(address: string): TokenJson {
    return this.#port?.tokenAt(address) ?? { symbol: `${address.slice(0, 6)}…${address.slice(-4)}`, decimals: 0 }
  }

  #carriage({ carrier, client, isOurs, state, reason, bytes, owed, paid, open, isResting, token: address }: DeskCarriage): Json.MeshCarriageJson {
    const token = this.#tokenAt(address)
    const said = reason === null ? null : amountsInTokens(reason, token)
    const amounts = { owed: money(owed, token.decimals), paid: money(paid, token.decimals), open: money(open, token.decimals) }
    return { carrier, client, isOurs, state, reason: said, upBytes: Number(bytes.up), downBytes: Number(bytes.down), ...amounts, isResting, token }
  }

  #away({ mac, sessionId, holder, sinceMs, heardMs, leftSeconds, usedSeconds, usedBytes, isContested }: AwayGuest): Json.MeshAwayGuestJson {
    return { mac, sessionId, holder, forSeconds: this.#maybeSince(sinceMs), heardSecondsAgo: this.#maybeSince(heardMs), leftSeconds, usedSeconds, usedBytes: Number(usedBytes), isContested }
  }

  #visitor({ mac, sessionId, seller, isIn, reason, leftSeconds, usedSeconds, usedBytes, unitsPerMinute, token: address }: Visitor): Json.MeshVisitorJson {
    const token = address === null ? null : this.#tokenAt(address)
    const price = token === null || unitsPerMinute === 0n ? null : money(unitsPerMinute, token.decimals)
    return { mac, sessionId, seller, isIn, reason, leftSeconds, usedSeconds, usedBytes: Number(usedBytes), price, token }
  }

  #debt({ partner, isOurs, token: address, owed, paid, open, sinceMs }: RoamDebt): Json.MeshGuestDebtJson {
    const token = this.#tokenAt(address)
    return { box: partner, isOurs, token, owed: money(owed, token.decimals), paid: money(paid, token.decimals), open: money(open, token.decimals), forSeconds: this.#maybeSince(sinceMs) }
  }
}

/** The door has checked its form. */
function boxId(text: string): `0x${string}` {
  return `0x${text.slice(2).toLowerCase()}`
}
