/**
 * The book against a small model of the kernel: whatever is opened, closed, spent and replaced, every script is
 * one the kernel would accept, and afterwards the kernel holds exactly what the book says.
 */
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { Book, Draft, REMEMBER_MS, isPaid, sessionKey } from '../../../src/hotspot/gate/book.ts'
import { draftChanges, footprints, wholeBook } from '../../../src/hotspot/gate/book-changes.ts'
import { bookFromDump, differenceFrom } from '../../../src/hotspot/gate/book-dump.ts'
import { countsFromDump } from '../../../src/hotspot/gate/counts.ts'
import type { Dump, DumpedElement } from '../../../src/hotspot/gate/dump.ts'
import { nftCommands } from '../../../src/hotspot/gate/nft-text.ts'
import type { SetChange } from '../../../src/hotspot/gate/set-changes.ts'
import type { Grant } from '../../../src/hotspot/gate/types.ts'

/** Enough of nftables to refuse what the kernel would refuse. Leases are kept with their end. */
class ModelKernel {
  readonly sets = new Map<string, Map<string, string>>()
  readonly quotas = new Map<string, { total: number; used: number }>()
  readonly timeouts = new Map<string, number>()

  run(changes: readonly SetChange[], nowMs: number): void {
    this.runNft(nftCommands(changes), nowMs)
  }

  runNft(script: readonly string[], nowMs: number): void {
    for (const command of script) this.#one(command, nowMs)
  }

  elements(set: string): Map<string, string> {
    let found = this.sets.get(set)
    if (found === undefined) this.sets.set(set, (found = new Map<string, string>()))
    return found
  }

  expire(nowMs: number): void {
    for (const [handle, end] of this.timeouts) {
      if (end > nowMs) continue
      this.timeouts.delete(handle)
      this.elements('paid').delete(handle)
    }
  }

  #one(command: string, nowMs: number): void {
    const quota = /^(add|delete) quota inet meshbox (\S+)(?: \{ over (\d+) bytes used (\d+) bytes \})?$/.exec(command)
    if (quota) return this.#quota(quota[1] ?? '', quota[2] ?? '', Number(quota[3]), Number(quota[4]))
    const element = /^(add|delete) element inet meshbox (\S+) \{ (.*) \}$/.exec(command)
    if (!element) throw new Error(`not understood: ${command}`)
    const [, verb, set = '', body = ''] = element
    for (const text of body.split(', ')) {
      const [left = '', value = ''] = text.split(' : ')
      const [key = '', timeout] = left.split(' timeout ')
      const elements = this.elements(set)
      if (verb === 'delete') {
        if (!elements.delete(key)) throw new Error(`no element ${key} in ${set}`)
        if (set === 'paid') this.timeouts.delete(key)
        continue
      }
      const there = elements.get(key)
      if (there !== undefined && there !== value) throw new Error(`${key} in ${set} leads to ${there}`)
      if (set === 'quotas' && !this.quotas.has(value.replaceAll('"', ''))) throw new Error(`no quota ${value}`)
      elements.set(key, value)
      // Kernels before 6.12 leave the timeout of an element that is there.
      if (set === 'paid' && there === undefined) this.timeouts.set(key, nowMs + Number(/^(\d+)(ms|s)$/.exec(timeout ?? '')?.[1]) * (timeout?.endsWith('ms') ? 1 : 1000))
    }
  }

  #quota(verb: string, name: string, total: number, used: number): void {
    if (verb === 'add') this.quotas.set(name, { total, used: this.quotas.get(name)?.used ?? used })
    else {
      if ([...this.elements('quotas').values()].includes(`"${name}"`)) throw new Error(`quota ${name} is in use`)
      if (!this.quotas.delete(name)) throw new Error(`no quota ${name}`)
    }
  }

  dump(nowMs: number): Dump {
    const of = (set: string): DumpedElement[] =>
      [...this.elements(set)].map(([key, value]) => ({ key, value: value === '' ? null : value.replaceAll('"', ''), expiresSeconds: set === 'paid' ? Math.floor(((this.timeouts.get(key) ?? 0) - nowMs) / 1000) : null, packets: 1, bytes: 2 }))
    // nft shows handles as 10:1.
    const shown = (text: string): string => text.replace(/0x([0-9a-f]{4})([0-9a-f]{4})/g, (_all, high: string, low: string) => `${Number.parseInt(high, 16).toString(16)}:${Number.parseInt(low, 16).toString(16)}`)
    const names = ['up4', 'down4', 'upmac', 'devmac', 'quotas', 'classes', 'bytes_up', 'bytes_down', 'paid']
    return {
      sets: new Map(names.map((name) => [`inet ${name}`, of(name).map((element) => ({ ...element, key: shown(element.key), value: element.value === null ? null : shown(element.value) }))])),
      quotas: new Map([...this.quotas].map(([name, { total, used }]) => [name, { totalBytes: total, usedBytes: used }])),
      mark: null,
      structure: '',
      isEmpty: false,
    }
  }
}

const withoutCounts = (changes: readonly SetChange[]): string[] => nftCommands(changes).map((command) => command.replaceAll(/ counter packets \d+ bytes \d+/g, ''))

const grantArb = fc.record({
  device: fc.integer({ min: 0, max: 7 }),
  session: fc.integer({ min: 0, max: 3 }),
  ip: fc.option(fc.integer({ min: 0, max: 4 })),
  leaseMs: fc.integer({ min: 1, max: 5000 }),
  quota: fc.option(fc.integer({ min: 0, max: 5 })),
  used: fc.option(fc.integer({ min: 0, max: 5 })),
  kbps: fc.option(fc.constantFrom(1000, 2000)),
})
type GrantSpec = typeof grantArb extends fc.Arbitrary<infer T> ? T : never

const grantOf = (spec: GrantSpec): Grant => ({
  sessionId: `session ${spec.session}`,
  mac: `02:00:00:00:00:0${spec.device}`,
  ip4: spec.ip === null ? null : `10.0.0.${spec.ip}`,
  leaseMs: spec.leaseMs,
  quotaBytes: spec.quota === null ? null : spec.quota * 1000,
  ...(spec.used === null ? {} : { usedBytes: spec.used * 1000 }),
  downKbps: spec.kbps,
  upKbps: null,
})

const stepArb = fc.oneof(
  fc.record({ kind: fc.constant('apply' as const), open: fc.array(grantArb, { maxLength: 4 }), close: fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('replace' as const), open: fc.array(grantArb, { maxLength: 5 }) }),
  fc.record({ kind: fc.constant('spend' as const), session: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: REMEMBER_MS + 5000 }) }),
  fc.record({ kind: fc.constant('drop' as const), open: fc.array(grantArb, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant('restart' as const) }),
  fc.record({ kind: fc.constant('leases' as const), pairs: fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 7 })), { maxLength: 3 }) }),
)

/** As nft-text.ts writes them. */
const shown = (fields: readonly (string | number)[], isName = false): string => fields.map((field) => (typeof field === 'number' ? `0x${field.toString(16).padStart(8, '0')}` : isName ? `"${field}"` : field)).join(' . ')

/** What the kernel should hold by the book, in the model's own spelling. */
function expected(book: Book): Map<string, Map<string, string>> {
  const sets = new Map<string, Map<string, string>>()
  for (const device of book.devices.values())
    for (const print of footprints(device, device.session === null ? undefined : book.sessions.get(device.session))) {
      const set = sets.get(print.set) ?? new Map<string, string>()
      expect(set.has(shown(print.key)), `${print.set} ${shown(print.key)} twice`).toBe(false)
      sets.set(print.set, set.set(shown(print.key), print.value === null ? '' : shown([print.value], print.set === 'quotas')))
    }
  return sets
}

function check(book: Book, kernel: ModelKernel, nowMs: number): void {
  for (const [set, elements] of expected(book)) expect([...kernel.elements(set)].sort(), set).toEqual([...elements].sort())
  for (const [set, elements] of kernel.sets) if (set !== 'paid' && !expected(book).has(set)) expect(elements.size, set).toBe(0)
  kernel.expire(nowMs)
  const paid = [...book.devices.values()].filter((device) => isPaid(device, book.sessions) && device.untilMs > nowMs)
  expect(kernel.elements('paid').size).toBe(paid.length)
  for (const device of paid) {
    const end = kernel.timeouts.get(`0x${device.handle.toString(16).padStart(8, '0')}`) ?? 0
    expect(Math.abs(end - device.untilMs)).toBeLessThanOrEqual(1)
  }
  const limited = [...book.sessions.values()].filter((session) => session.totalBytes !== null)
  expect([...kernel.quotas].map(([name, quota]) => [name, quota.total]).sort()).toEqual(limited.map((session) => [session.key, session.totalBytes]).sort())
  // The indexes agree with the devices.
  expect([...book.byIp4].sort()).toEqual([...book.devices.values()].filter((device) => device.ip4 !== null).map((device) => [device.ip4, device.mac]).sort())
  expect([...book.byHandle].sort()).toEqual([...book.devices.values()].map((device) => [device.handle, device.mac]).sort())
  expect([...book.minors.keys()].sort()).toEqual([...book.sessions.values()].flatMap((session) => (session.minor === null ? [] : [session.minor])).sort())
  for (const session of book.sessions.values()) for (const mac of session.macs) expect(book.devices.get(mac)?.session).toBe(session.key)
  expect(differenceFrom(book, kernel.dump(nowMs), nowMs)).toBeNull()
}

describe('book', () => {
  it('leads the kernel from any state to any other, and knows what the kernel holds', () => {
    fc.assert(
      fc.property(fc.array(stepArb, { minLength: 1, maxLength: 25 }), fc.integer({ min: 4, max: 8 }), (steps, maxDevices) => {
        let book = new Book(maxDevices)
        let kernel = new ModelKernel()
        let nowMs = 1_000_000
        for (const step of steps) {
          kernel.expire(nowMs)
          if (step.kind === 'wait') nowMs += step.ms
          else if (step.kind === 'leases') book.leases = new Map(step.pairs.map(([ip, device]) => [`10.0.0.${ip}`, `02:00:00:00:00:0${device}`]))
          else if (step.kind === 'restart') {
            const nextHandle = book.nextHandle
            kernel.elements('classes').clear()
            const { leases } = book
            book = bookFromDump(kernel.dump(nowMs), maxDevices, nowMs)
            book.leases = leases
            expect(book.nextHandle).toBeLessThanOrEqual(nextHandle)
            // Whole seconds are what a dump tells: the lease the new book knows of is the kernel's, rounded down.
            for (const device of book.devices.values()) kernel.timeouts.set(`0x${device.handle.toString(16).padStart(8, '0')}`, device.untilMs)
            kernel.expire(nowMs)
            if (differenceFrom(book, kernel.dump(nowMs), nowMs) !== null) {
              // Only for an allowance lowered to what was used already, before a packet met it; the gate then installs anew.
              expect([...book.sessions.values()].some((session) => session.isSpent)).toBe(true)
              const counts = countsFromDump(kernel.dump(nowMs))
              kernel = new ModelKernel()
              kernel.runNft(withoutCounts(wholeBook(book, counts, nowMs)), nowMs)
            }
          } else {
            const draft = new Draft(book, nowMs)
            draft.forgetOld()
            try {
              if (step.kind === 'spend') draft.spend(sessionKey(`session ${step.session}`))
              else {
                const grants = step.open.map(grantOf)
                if (step.kind === 'replace') draft.closeAllBut(new Set(grants.map((grant) => grant.mac)))
                if (step.kind === 'apply') for (const device of step.close) draft.close(`02:00:00:00:00:0${device}`)
                for (const grant of grants) draft.open(grant, nowMs + grant.leaseMs)
              }
            } catch (error) {
              expect(String(error)).toContain('no room')
              continue
            }
            const script = draftChanges(draft, nowMs)
            if (step.kind === 'drop') continue // refused by the kernel: as if it had never been
            kernel.run(script, nowMs)
            draft.takeOver()
          }
          check(book, kernel, nowMs)
          const copy = new ModelKernel()
          copy.runNft(withoutCounts(wholeBook(book, countsFromDump(kernel.dump(nowMs)), nowMs)), nowMs)
          check(book, copy, nowMs)
        }
      }),
      { numRuns: Number(process.env['GATE_BOOK_RUNS'] ?? 300) },
    )
  })

  const grant = (device: number, more: Partial<Grant> = {}): Grant => ({ ...grantOf({ device, session: device, ip: device, leaseMs: 5000, quota: null, used: null, kbps: null }), ...more })
  function commit(book: Book, act: (draft: Draft) => void, nowMs = 0): string[] {
    const draft = new Draft(book, nowMs)
    act(draft)
    const script = nftCommands(draftChanges(draft, nowMs))
    draft.takeOver()
    return script
  }

  it('a renewal is three commands on one element, and nothing else', () => {
    const book = new Book(10)
    commit(book, (draft) => draft.open(grant(1), 5000))
    const script = commit(book, (draft) => draft.open(grant(1), 7000), 1000)
    expect(script).toEqual([
      'add element inet meshbox paid { 0x00100001 timeout 6000ms }',
      'delete element inet meshbox paid { 0x00100001 }',
      'add element inet meshbox paid { 0x00100001 timeout 6000ms }',
    ])
  })

  it('a growing allowance is changed in place; a spent one is made anew at its old total', () => {
    const book = new Book(10)
    const key = sessionKey('s')
    const with_ = (total: number, used: number) => grant(1, { sessionId: 's', quotaBytes: total - used, usedBytes: used })
    commit(book, (draft) => draft.open(with_(1000, 0), 5000))
    expect(commit(book, (draft) => draft.open(with_(1000, 700), 5000)).some((line) => line.includes('quota'))).toBe(false)
    expect(commit(book, (draft) => draft.open(with_(2000, 700), 5000))[0]).toBe(`add quota inet meshbox ${key} { over 2000 bytes used 0 bytes }`)
    commit(book, (draft) => draft.spend(key))
    expect(commit(book, (draft) => draft.open(with_(3000, 1900), 5000)).filter((line) => line.includes('quota'))).toEqual([
      'delete element inet meshbox quotas { 0x00100001 }',
      `delete quota inet meshbox ${key}`,
      `add quota inet meshbox ${key} { over 3000 bytes used 2000 bytes }`,
      `add element inet meshbox quotas { 0x00100001 : "${key}" }`,
    ])
  })

  it('DHCP decides who has an address, whatever a grant says', () => {
    const book = new Book(10)
    book.leases = new Map([['10.0.0.1', '02:00:00:00:00:02']])
    commit(book, (draft) => draft.open(grant(1), 5000))
    expect(book.devices.get('02:00:00:00:00:01')?.ip4).toBeNull()
    commit(book, (draft) => draft.open(grant(2, { ip4: '10.0.0.1' }), 5000))
    expect(book.devices.get('02:00:00:00:00:02')?.ip4).toBe('10.0.0.1')
  })

  it('a grant that does not know the address keeps the one known', () => {
    const book = new Book(10)
    commit(book, (draft) => draft.open(grant(1), 5000))
    commit(book, (draft) => draft.open(grant(1, { ip4: null }), 5000))
    expect(book.devices.get('02:00:00:00:00:01')?.ip4).toBe('10.0.0.1')
  })

  it('numbers are never given twice, though devices are forgotten', () => {
    const book = new Book(3)
    const seen = new Set<number>()
    for (let i = 0; i < 50; i++) {
      commit(book, (draft) => {
        draft.closeAllBut(new Set())
        draft.open({ ...grant(1), mac: `02:00:00:00:01:${i.toString(16).padStart(2, '0')}`, sessionId: `s${i}` }, i + 5000)
      }, i)
      for (const handle of book.byHandle.keys()) seen.add(handle)
      expect(book.devices.size).toBeLessThanOrEqual(3)
    }
    expect(seen.size).toBe(50)
  })
})

describe('difference', () => {
  function paidUp(): { book: Book; kernel: ModelKernel } {
    const book = new Book(10)
    const kernel = new ModelKernel()
    const draft = new Draft(book, 0)
    draft.open(grantOf({ device: 1, session: 1, ip: 1, leaseMs: 60_000, quota: 5, used: 0, kbps: null }), 60_000)
    kernel.run(draftChanges(draft, 0), 0)
    draft.takeOver()
    return { book, kernel }
  }
  it.each<[string, (kernel: ModelKernel) => void]>([
    ['paid holds', (kernel) => kernel.runNft(['add element inet meshbox paid { 0x00100009 timeout 5s }'], 0)],
    ['is longer than granted', (kernel) => kernel.timeouts.set('0x00100001', 3600_000)],
    ['gone before its time', (kernel) => kernel.runNft(['delete element inet meshbox paid { 0x00100001 }'], 0)],
    ['up4 lacks', (kernel) => kernel.runNft(['delete element inet meshbox up4 { 02:00:00:00:00:01 . 10.0.0.1 }'], 0)],
    ['upmac holds', (kernel) => kernel.runNft(['add element inet meshbox upmac { 02:00:00:00:00:07 : 0x00100001 }'], 0)],
    ['down4 leads', (kernel) => kernel.elements('down4').set('10.0.0.1', '0x00100005')],
    ['bytes_up lacks', (kernel) => kernel.elements('bytes_up').clear()],
    ['is 9 bytes instead', (kernel) => kernel.quotas.set(sessionKey('session 1'), { total: 9, used: 0 })],
    ['quotas nobody granted', (kernel) => kernel.quotas.set('qother', { total: 9, used: 0 })],
  ])('%s…: seen', (words, tamper) => {
    const { book, kernel } = paidUp()
    expect(differenceFrom(book, kernel.dump(1000), 1000)).toBeNull()
    tamper(kernel)
    expect(differenceFrom(book, kernel.dump(1000), 1000)).toContain(words)
  })
  it('a lease that ran out in its time is none', () => {
    const { book, kernel } = paidUp()
    kernel.expire(61_000)
    expect(differenceFrom(book, kernel.dump(61_000), 61_000)).toBeNull()
  })
})
