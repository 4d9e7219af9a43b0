/**
 * Finding nodes of the original Photon on the LAN, and being found (photon.md 2.6): DNS-SD over mDNS as the original has it:
 * service `_photon.local` (without a protocol label), the instance and its TXT the node's whole address.
 *
 *   _photon.local           PTR  <address>._photon.local
 *   <address>._photon.local SRV  port, photon-<address>.local
 *   <address>._photon.local TXT  <address>
 *   photon-<address>.local  A    the listener's address
 *
 * Nothing of this is signed. So an announcement is believed only of its own sender: the address it names must be the one
 * it came from, and what the owner says of a node stands above it (places.ts). Pure but for the clock and the timers that come in.
 */
import { RateLimit } from '../../base/index.ts'
import type { Address, Cancel, Clock, Timers } from '../../base/index.ts'
import { TYPE, decodeMdns, encodeMdns } from './mdns-codec.ts'
import type { MdnsMessage, MdnsQuestion, MdnsRecord, Name } from './mdns-codec.ts'
import type { DatagramSocket, GroupSocket } from './lan-door.ts'
import type { Place, Places } from './places.ts'

export const MDNS_GROUP = '224.0.0.251'
export const MDNS_PORT = 5353
const SERVICE: Name = ['_photon', 'local']
const TTL_SECONDS = 120
/** An announcement holds 20 s (places.ts): two may be lost. */
const ASK_EVERY_MS = 6_000
const JOIN_EVERY_MS = 60_000
/** Twice at the start, RFC 6762 8.3. */
const REPEAT_MS = 1_000
const ANSWERS = { burst: 16, perSecond: 4 } as const
const MESSAGES = { burst: 128, perSecond: 64 } as const
const ADDRESS = /^0x[0-9a-f]{40}$/

export interface AnnouncerParts {
  readonly self: Address
  /** Where this box's door listens. */
  readonly local: Place
  readonly places: Places
  /** Where all listen: the group. */
  readonly group: Place
  /** Takes what is said to the group. */
  openGroup(onDatagram: (bytes: Uint8Array, from: Place) => void): Promise<GroupSocket>
  /** Asks the group, and takes what is answered to it alone: the original's library answers no other way. */
  openAsker(onDatagram: (bytes: Uint8Array, from: Place) => void): Promise<DatagramSocket>
  isNear(host: string): boolean
  readonly clock: Clock
  readonly timers: Timers
}

export class Announcer {
  readonly #parts: AnnouncerParts
  readonly #answers = new RateLimit(ANSWERS)
  readonly #messages = new RateLimit(MESSAGES)
  readonly #cancels: Cancel[] = []
  readonly #records: readonly MdnsRecord[]
  #group: GroupSocket | null = null
  #asker: DatagramSocket | null = null

  constructor(parts: AnnouncerParts) {
    this.#parts = parts
    this.#records = recordsOf(parts.self, parts.local, TTL_SECONDS)
  }

  async start(): Promise<void> {
    const { timers } = this.#parts
    const take = (bytes: Uint8Array, from: Place): void => this.#take(bytes, from)
    this.#group = await this.#parts.openGroup(take)
    this.#asker = await this.#parts.openAsker(take)
    const both = (): void => {
      this.#say(this.#records)
      this.#ask()
    }
    both()
    this.#cancels.push(timers.after(REPEAT_MS, both), timers.every(ASK_EVERY_MS, () => this.#ask()), timers.every(JOIN_EVERY_MS, () => this.#group?.renew()))
  }

  async stop(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel()
    // Goodbye: the same with no time to live.
    this.#say(recordsOf(this.#parts.self, this.#parts.local, 0))
    const sockets = [this.#group, this.#asker]
    this.#group = null
    this.#asker = null
    for (const socket of sockets) await socket?.close()
  }

  #ask(): void {
    this.#asker?.send(encodeMdns({ id: 0, isResponse: false, questions: [{ name: SERVICE, type: TYPE.PTR, wantsUnicast: false }], records: [] }), this.#parts.group)
  }

  #say(records: readonly MdnsRecord[]): void {
    this.#group?.send(encodeMdns({ id: 0, isResponse: true, questions: [], records }), this.#parts.group)
  }

  #take(bytes: Uint8Array, from: Place): void {
    const { isNear, clock } = this.#parts
    if (!isNear(from.host) || this.#messages.take(from.host, clock.boottimeMs()) > 0) return
    const message = decodeMdns(bytes)
    if (message === null) return
    if (message.isResponse) this.#learn(message.records, from)
    else this.#answer(message, from)
  }

  #answer(message: MdnsMessage, from: Place): void {
    const { clock, group } = this.#parts
    const asked = message.questions.filter((question) => this.#isAbout(question))
    if (asked.length === 0 || this.#answers.take('all', clock.boottimeMs()) > 0) return
    // Who asks from another port than the group's is a simple resolver, and hears only what is sent to it (RFC 6762 6.7).
    const isSimple = from.port !== group.port
    const isForOne = isSimple || asked.some((question) => question.wantsUnicast)
    const response = encodeMdns({ id: isSimple ? message.id : 0, isResponse: true, questions: isSimple ? asked : [], records: this.#records })
    this.#group?.send(response, isForOne ? from : group)
  }

  #isAbout({ name, type }: MdnsQuestion): boolean {
    const isService = isSameName(name, SERVICE) && (type === TYPE.PTR || type === TYPE.ANY)
    return isService || this.#records.some((record) => record.kind !== 'PTR' && isSameName(name, record.name) && (type === TYPE[record.kind] || type === TYPE.ANY))
  }

  #learn(records: readonly MdnsRecord[], from: Place): void {
    const { self, places, clock } = this.#parts
    for (const instance of records) {
      if (instance.kind !== 'PTR' || !isSameName(instance.name, SERVICE)) continue
      const account = accountOf(instance.target, records)
      if (account === null || account === self) continue
      if (instance.ttlSeconds === 0) places.gone(account)
      else {
        const port = portOf(instance.target, records, from.host)
        if (port === null) continue
        places.announced(account, { host: from.host, port }, clock.boottimeMs())
      }
    }
  }
}

function recordsOf(self: Address, { host, port }: Place, ttlSeconds: number): readonly MdnsRecord[] {
  const instance = [self, ...SERVICE]
  const target = [`photon-${self.slice(2)}`, 'local']
  return [
    { kind: 'PTR', name: SERVICE, ttlSeconds, target: instance },
    { kind: 'SRV', name: instance, ttlSeconds, port, target },
    { kind: 'TXT', name: instance, ttlSeconds, texts: [self] },
    { kind: 'A', name: target, ttlSeconds, address: host },
  ]
}

/** The TXT says it; the instance's own name where there is none. */
function accountOf(instance: Name, records: readonly MdnsRecord[]): Address | null {
  if (instance.length !== SERVICE.length + 1 || !isSameName(instance.slice(1), SERVICE)) return null
  const text = records.find((record) => record.kind === 'TXT' && isSameName(record.name, instance))
  const said = (text?.kind === 'TXT' ? text.texts[0] : undefined) ?? instance[0] ?? ''
  const account = said.toLowerCase()
  return ADDRESS.test(account) ? (account as Address) : null
}

/** Null: it names no port, or a machine that is not the one that speaks. */
function portOf(instance: Name, records: readonly MdnsRecord[], host: string): number | null {
  const service = records.find((record) => record.kind === 'SRV' && isSameName(record.name, instance))
  if (service?.kind !== 'SRV' || service.port === 0) return null
  return records.some((record) => record.kind === 'A' && record.address === host && isSameName(record.name, service.target)) ? service.port : null
}

function isSameName(a: Name, b: Name): boolean {
  return a.length === b.length && a.every((label, index) => label === b[index])
}
