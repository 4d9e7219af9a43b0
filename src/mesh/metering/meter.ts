/**
 * From the kernel's counters to the figure that one carriage signs. The kernel's may begin anew (table flushed, interface
 * gone, reboot); a figure never goes back: what a link counts less than before was counted from nothing. A link that is seen for
 * the first time in the middle of a carriage counts from there.
 */
import type { CarriedBytes, Mac } from '../ports.ts'
import type { LinkTraffic } from './ports.ts'

/**
 * What is signed: a client pays for all frames; a relay asks for what it forwarded; the box with the way out for what it let
 * in as well, and for all that it sent.
 */
export type Counted = 'all' | 'forwarded' | 'way-out'

/** Raw counters as last read, by link. `received` is from the partner. */
export interface LinkMark {
  readonly received: bigint
  readonly sent: bigint
  readonly ended: bigint
  readonly allReceived: bigint
  readonly allSent: bigint
}

export interface Meter {
  readonly role: 'carrier' | 'client'
  readonly bytes: CarriedBytes
  readonly marks: ReadonlyMap<Mac, LinkMark>
}

/** Links of one neighbour that are counted; a box has some radios, not hundreds. */
export const MAX_LINKS = 16
const NOTHING: LinkMark = { received: 0n, sent: 0n, ended: 0n, allReceived: 0n, allSent: 0n }

/** Begins at nothing: what the links counted until now is nobody's. */
export function beginMeter(role: Meter['role'], links: readonly Mac[], now: readonly LinkTraffic[]): Meter {
  return { role, bytes: { up: 0n, down: 0n }, marks: new Map(links.slice(0, MAX_LINKS).map((mac) => [mac, markOf(now, mac) ?? NOTHING])) }
}

/** After a reboot: the counters are new, the figure goes on. */
export function withNewCounters(meter: Meter): Meter {
  return { ...meter, marks: new Map([...meter.marks.keys()].map((mac) => [mac, NOTHING])) }
}

export function readMeter(meter: Meter, links: readonly Mac[], now: readonly LinkTraffic[], counted: Counted): Meter {
  const marks = new Map(meter.marks)
  let { up, down } = meter.bytes
  for (const mac of new Set([...meter.marks.keys(), ...links])) {
    const mark = markOf(now, mac)
    const before = marks.get(mac)
    if (before === undefined && marks.size >= MAX_LINKS) continue
    if (mark === null) {
      // No counter: the table was made anew and the link is not in it yet.
      marks.set(mac, NOTHING)
      continue
    }
    marks.set(mac, mark)
    if (before === undefined) continue
    const more = (name: keyof LinkMark): bigint => grown(before[name], mark[name])
    const received = counted === 'all' ? more('allReceived') : more('received') + (counted === 'way-out' ? more('ended') : 0n)
    const sent = counted === 'forwarded' ? more('sent') : more('allSent')
    up += meter.role === 'carrier' ? received : sent
    down += meter.role === 'carrier' ? sent : received
  }
  return { role: meter.role, bytes: { up, down }, marks }
}

function grown(before: bigint, now: bigint): bigint {
  return now >= before ? now - before : now
}

function markOf(traffic: readonly LinkTraffic[], mac: Mac): LinkMark | null {
  const found = traffic.find((each) => each.neighbour === mac)
  return found === undefined ? null : { received: found.receivedBytes, sent: found.sentBytes, ended: found.endedBytes, allReceived: found.allReceivedBytes, allSent: found.allSentBytes }
}
