/**
 * Whose frame it is: by the longest prefix of the DevAddr, or by JoinEUI and DevEUI. A NetID is the prefix of its addresses
 * (LoRaWAN Backend Interfaces, chapter 13). A rejoin of 1.1 names JoinEUI and DevEUI (type 1), or NetID and DevEUI (0, 2): then a route that names the
 * device goes before one that names the network. Of two tenants' routes that fit, the longer one wins; two tenants cannot have the same one.
 *
 * The prefixes are laid flat: where among all addresses another tenant begins, in order, so a look-up is a binary search. Only the first bytes
 * of a frame are looked at.
 */
import { MeshBoxError, inputError } from '../../base/index.ts'
import { devAddrText, euiBytes, prefixOfNetId } from '../lorawan/index.ts'
import type { AddressPrefix } from '../lorawan/index.ts'
import type { DevAddr, Eui, Route, TenantId } from '../ports.ts'
import type { RouteClash } from './types.ts'

const MAX_ROUTES_PER_TENANT = 4_096
/** How many there are. */
const ADDRESSES = 2 ** 32
const MAX_OVERLAPS = 100
const JOIN_REQUEST_BYTES = 23
const REJOIN_BYTES = { byNetId: 19, byJoinEui: 24 } as const
const MIN_DATA_BYTES = 12
const MTYPE = { joinRequest: 0, unconfirmedUp: 2, confirmedUp: 4, rejoin: 6 } as const
const NOBODY: readonly TenantId[] = []

/** Of a route: what two tenants cannot both have. Errors: input, naming the field. */
export function routeKey(route: Route): string {
  if (route.kind === 'join') {
    euiBytes(route.joinEui, 'join-eui')
    if (route.devEui !== null) euiBytes(route.devEui, 'dev-eui')
    return `join ${route.joinEui} ${route.devEui ?? '*'}`
  }
  const { prefix, bits } = prefixOf(route)
  return `address ${devAddrText(prefix)}/${bits}`
}

/** Errors: input: a prefix with bits set behind its end, or none at all (one tenant would have everybody's frames). */
function prefixOf(route: Exclude<Route, { kind: 'join' }>): AddressPrefix {
  if (route.kind === 'net-id') return prefixOfNetId(route.netId)
  const { prefix, prefixBits: bits } = route
  if (!Number.isInteger(bits) || bits < 1 || bits > 32) throw inputError('prefix-bits', bits, '1 to 32')
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > 0xffff_ffff) throw inputError('prefix', prefix, 'a DevAddr of 32 bits')
  if (prefix % 2 ** (32 - bits) !== 0) throw inputError('prefix', `${devAddrText(prefix)}/${bits}`, `nothing behind the first ${bits} bits`)
  return { prefix, bits }
}

export class RouteTable {
  #addresses = new AddressMap([])
  readonly #joins = new Map<string, TenantId>()
  /** By DevEUI alone; null: two tenants have it, under different JoinEUIs. */
  readonly #devices = new Map<Eui, TenantId | null>()
  readonly #netIds = new Map<number, TenantId>()
  readonly #routes = new Map<TenantId, readonly Route[]>()
  readonly #owners = new Map<string, TenantId>()

  /** Replaces what the tenant had. Errors: input; conflict `route-taken`, naming the route and whose it is; nothing is changed then. */
  set(tenant: TenantId, routes: readonly Route[]): void {
    this.check(tenant, routes)
    this.#routes.set(tenant, routes)
    this.#rebuild()
  }

  /** What is on disk, all at once: no two of them clash there. */
  load(all: Iterable<readonly [TenantId, readonly Route[]]>): void {
    this.#routes.clear()
    for (const [tenant, routes] of all) this.#routes.set(tenant, routes)
    this.#rebuild()
  }

  remove(tenant: TenantId): void {
    if (this.#routes.delete(tenant)) this.#rebuild()
  }

  /** Errors: as `set`. */
  check(tenant: TenantId, routes: readonly Route[]): void {
    if (routes.length > MAX_ROUTES_PER_TENANT) throw inputError('routes', `${routes.length} routes`, `at most ${MAX_ROUTES_PER_TENANT}`)
    const own = new Set<string>()
    for (const route of routes) {
      const key = routeKey(route)
      if (own.has(key)) throw inputError('routes', key, 'each route once')
      own.add(key)
      const owner = this.#owners.get(key)
      if (owner !== undefined && owner !== tenant)
        throw new MeshBoxError('conflict', `the route ${key} is the tenant ${owner}'s`, { code: 'route-taken', field: 'routes', value: key, allowed: `routes that no other tenant has; ${owner} has this one` })
    }
  }

  /** Routes of others that lie around or within these: the longer one wins, and the owner should know. At most 100. */
  overlaps(tenant: TenantId, routes: readonly Route[]): readonly RouteClash[] {
    const own = new OwnRoutes(routes)
    const found: RouteClash[] = []
    for (const [other, theirs] of this.#routes) {
      if (other === tenant) continue
      for (const route of theirs) if (found.length < MAX_OVERLAPS && own.overlap(route)) found.push({ route, tenant: other })
    }
    return found
  }

  /** Empty: nobody's. */
  find(phy: Uint8Array): readonly TenantId[] {
    const mType = (phy[0] ?? 0xff) >> 5
    if (mType === MTYPE.unconfirmedUp || mType === MTYPE.confirmedUp) return phy.length < MIN_DATA_BYTES ? NOBODY : this.#addresses.find(littleAt(phy, 1))
    if (mType === MTYPE.joinRequest) return phy.length === JOIN_REQUEST_BYTES ? this.#byJoin(phy, 1) : NOBODY
    if (mType === MTYPE.rejoin) return this.#byRejoin(phy)
    return NOBODY // downlinks of others, and proprietary frames
  }

  /** `at`: where JoinEUI and DevEUI lie. */
  #byJoin(phy: Uint8Array, at: number): readonly TenantId[] {
    if (this.#joins.size === 0) return NOBODY
    const joinEui = euiAt(phy, at)
    const tenant = this.#joins.get(`${joinEui} ${euiAt(phy, at + 8)}`) ?? this.#joins.get(`${joinEui} *`)
    return tenant === undefined ? NOBODY : [tenant]
  }

  /** MHDR, type, then JoinEUI or NetID, then DevEUI: lorawan/frame.ts. */
  #byRejoin(phy: Uint8Array): readonly TenantId[] {
    if (phy[1] === 1) return phy.length === REJOIN_BYTES.byJoinEui ? this.#byJoin(phy, 2) : NOBODY
    if ((phy[1] !== 0 && phy[1] !== 2) || phy.length !== REJOIN_BYTES.byNetId) return NOBODY
    const tenant = this.#devices.get(euiAt(phy, 5)) ?? this.#netIds.get(littleAt(phy, 2) % 0x100_0000)
    return tenant === undefined ? NOBODY : [tenant]
  }

  #rebuild(): void {
    const owned: OwnedPrefix[] = []
    this.#joins.clear()
    this.#devices.clear()
    this.#netIds.clear()
    this.#owners.clear()
    for (const [tenant, routes] of this.#routes) {
      for (const route of routes) {
        this.#owners.set(routeKey(route), tenant)
        if (route.kind === 'join') {
          const { joinEui, devEui } = route
          this.#joins.set(`${joinEui} ${devEui ?? '*'}`, tenant)
          if (devEui === null) continue
          const known = this.#devices.get(devEui)
          this.#devices.set(devEui, known === undefined || known === tenant ? tenant : null)
          continue
        }
        if (route.kind === 'net-id') this.#netIds.set(route.netId, tenant)
        owned.push({ ...prefixOf(route), tenant })
      }
    }
    this.#addresses = new AddressMap(owned)
  }
}

type OwnedPrefix = AddressPrefix & { readonly tenant: TenantId }

/** All addresses, cut where another tenant begins. */
class AddressMap {
  /** Ascending; the first is 0. */
  readonly #starts: Uint32Array
  /** From each start to the next. */
  readonly #tenants: readonly (readonly TenantId[])[]

  /** Prefixes lie within each other or beside each other, so those that are open at one address are a stack, the longest on top. */
  constructor(prefixes: readonly OwnedPrefix[]) {
    const starts = [0]
    const tenants = [NOBODY]
    const cut = (at: number, tenant: TenantId | undefined): void => {
      if (starts.at(-1) !== at) starts.push(at)
      tenants[starts.length - 1] = tenant === undefined ? NOBODY : [tenant]
    }
    const open: { readonly end: number; readonly tenant: TenantId }[] = []
    const closeBefore = (at: number): void => {
      for (let top = open.at(-1); top !== undefined && top.end <= at; top = open.at(-1)) {
        open.pop()
        if (top.end < ADDRESSES) cut(top.end, open.at(-1)?.tenant)
      }
    }
    for (const { prefix, bits, tenant } of [...prefixes].sort((a, b) => a.prefix - b.prefix || a.bits - b.bits)) {
      closeBefore(prefix)
      open.push({ end: prefix + 2 ** (32 - bits), tenant })
      cut(prefix, tenant)
    }
    closeBefore(ADDRESSES)
    this.#starts = Uint32Array.from(starts)
    this.#tenants = tenants
  }

  find(address: DevAddr): readonly TenantId[] {
    let low = 0
    let high = this.#starts.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] ?? 0) <= address) low = middle
      else high = middle
    }
    return this.#tenants[low] ?? NOBODY
  }
}

/** One tenant's routes, arranged for the question whether another one lies around or within. */
class OwnRoutes {
  readonly #prefixes: readonly AddressPrefix[]
  readonly #joins: readonly Extract<Route, { kind: 'join' }>[]
  /** By length: the own prefixes cut to it, and the shorter ones as they are. */
  readonly #cut = new Map<number, ReadonlySet<string>>()

  constructor(routes: readonly Route[]) {
    this.#prefixes = routes.flatMap((route) => (route.kind === 'join' ? [] : [prefixOf(route)]))
    this.#joins = routes.flatMap((route) => (route.kind === 'join' ? [route] : []))
  }

  overlap(route: Route): boolean {
    if (route.kind === 'join') return this.#joins.some((own) => own.joinEui === route.joinEui && (own.devEui === null || route.devEui === null || own.devEui === route.devEui))
    const { prefix, bits } = prefixOf(route)
    const cut = this.#cut.get(bits) ?? new Set(this.#prefixes.map((own) => cutKey(own.prefix, Math.min(own.bits, bits))))
    this.#cut.set(bits, cut)
    for (let length = 1; length <= bits; length++) if (cut.has(cutKey(prefix, length))) return true
    return false
  }
}

function cutKey(prefix: DevAddr, bits: number): string {
  return `${bits} ${Math.floor(prefix / 2 ** (32 - bits))}`
}

function littleAt(phy: Uint8Array, at: number): number {
  return (phy[at] ?? 0) + (phy[at + 1] ?? 0) * 0x100 + (phy[at + 2] ?? 0) * 0x1_0000 + (phy[at + 3] ?? 0) * 0x100_0000
}

function euiAt(phy: Uint8Array, at: number): Eui {
  let text = ''
  for (let i = 7; i >= 0; i--) text += HEX[phy[at + i] ?? 0] ?? ''
  return text
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
