/** What the owner does: routes that clash, terms that cannot be, pause, end, another payer; what stays of a debt. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { MeshBoxError, hexOf, silentLog } from '../../../src/base/index.ts'
import type { KeySeal, Route, Tenant } from '../../../src/iot/ports.ts'
import { dueAccount } from '../../../src/iot/tenants/index.ts'
import { markFreePages, overwriteFreePages } from '../../../src/iot/tenants/io/free-pages.ts'
import type { Store } from '../../../src/store/index.ts'
import { CutStore, NWK_KEY, PAYER, TOKEN, heardOf, opened, tenant, turns, uplink } from './tenant-box.ts'
import type { TenantBox } from './tenant-box.ts'

let box: TenantBox
afterEach(() => box.close())

const FOREIGN_SEAL: KeySeal = {
  seal: (key) => key,
  open: () => {
    throw new MeshBoxError('unavailable', 'sealed elsewhere', { code: 'key-sealed-elsewhere' })
  },
}
const OTHER = hexOf(new Uint8Array(20).fill(0x33))
const range = (prefix: number, prefixBits: number): Route => ({ kind: 'dev-addr', prefix, prefixBits })

describe('routes', () => {
  it('that another tenant has are refused, and the answer names route and tenant', async () => {
    box = await opened()
    const rival = tenant({ id: 'rival', payer: OTHER, routes: [range(0x2600_0000, 8), range(0x2601_0000, 16)] })
    await expect(box.run(box.house.admin.put(rival))).rejects.toMatchObject({ kind: 'conflict', code: 'route-taken', message: 'the route address 26010000/16 is the tenant farm\'s' })
    expect(box.house.admin.tenants().map(({ id }) => id)).toEqual(['farm'])
    expect(await box.take(uplink(1)), 'nothing changed').toBe('sold')
  })

  it('the longer one wins, and both are told whose lies around or within', async () => {
    box = await opened({}, [tenant(), tenant({ id: 'rival', payer: OTHER, routes: [range(0x2601_0000, 24)] })])
    expect(box.house.route(uplink(1))).toEqual(['rival'])
    expect(box.house.route(uplink(1, { devAddr: 0x2601_0101 }))).toEqual(['farm'])
    expect(box.house.admin.tenants().map(({ overlaps }) => overlaps)).toEqual([[{ tenant: 'rival', route: range(0x2601_0000, 24) }], [{ tenant: 'farm', route: range(0x2601_0000, 16) }]])
    expect(await box.take(uplink(1), 'farm'), 'a frame is not sold to whom it is not routed').toBe('not-ours')
  })

  it('a NetID is its prefix, and clashes with it', async () => {
    box = await opened({}, [tenant({ routes: [{ kind: 'net-id', netId: 0x00_0013 }] })])
    expect(box.house.route(uplink(1, { devAddr: 0x2601_0001 }))).toEqual(['farm'])
    await expect(box.run(box.house.admin.put(tenant({ id: 'rival', payer: OTHER, routes: [range(0x2600_0000, 7)] })))).rejects.toMatchObject({ code: 'route-taken' })
  })

  it("the owner's own devices are nobody's", async () => {
    box = await opened({ deps: { isOwnDevice: (devEui) => devEui === '0004a30b001c0530' } })
    await expect(box.run(box.house.admin.put(tenant({ routes: [{ kind: 'join', joinEui: '0102030405060708', devEui: '0004a30b001c0530' }] })))).rejects.toMatchObject({ code: 'device-is-own' })
  })
})

describe('terms', () => {
  it.each<[string, Partial<Tenant>]>([
    ['id', { id: 'Farm' }], ['id', { id: '' }], ['name', { name: '' }], ['payer', { payer: '0x12' }], ['creditWindow', { creditWindow: -1n }], ['maxCopies', { maxCopies: 0 }], ['prices.perUnit', { prices: { ...tenant().prices, perUnit: -1n } }],
    ['prices.perDownlinkMs', { prices: { ...tenant().prices, perDownlinkMs: { 'a b': 1n } } }], ['prices.perDownlinkMs.P', { prices: { ...tenant().prices, perDownlinkMs: { P: -1n } } }], ['destination.port', { destination: { kind: 'gwmp', host: 'a', port: 0 } }],
    ['destination.url', { destination: { kind: 'station', url: 'http://x' } }], ['destination.url', { destination: { kind: 'station', url: 'wss://:a%0Ab@x' } }], ['destination.url', { destination: { kind: 'station', url: 'wss://x/?a' } }], ['destination.url', { destination: { kind: 'station', url: 'wss://x/#a' } }], ['prefix', { routes: [range(0x2601_0001, 16)] }], ['prefix-bits', { routes: [range(0, 0)] }], ['routes', { routes: [range(0x2600_0000, 8), range(0x2600_0000, 8)] }], ['join-eui', { routes: [{ kind: 'join', joinEui: 'x', devEui: null }] }],
  ])('%s that cannot be is named', async (field, change) => {
    box = await opened({}, [])
    await expect(box.run(box.house.admin.put(tenant(change)))).rejects.toMatchObject({ kind: 'input', field })
    expect(box.store.read((tx) => tx.all('SELECT id FROM iot_tenant'))).toEqual([])
  })

  it('are there after a restart as they were', async () => {
    box = await opened({}, [tenant({ routes: [range(0x2601_0000, 16), { kind: 'net-id', netId: 1 }, { kind: 'join', joinEui: '0102030405060708', devEui: null }], destination: { kind: 'gwmp', host: 'ns.example', port: 1700 } })])
    await box.run(box.house.admin.putMicKeys('farm', [{ devAddr: 0x2601_0001, key: NWK_KEY }]))
    await box.take(uplink(1))
    const before = box.house.admin.tenants()
    await box.restart()
    expect(box.house.admin.tenants()).toEqual(before.map((view) => ({ ...view, outcomes: { ...view.outcomes, sold: 0 } })))
    expect(await box.take(uplink(2, { key: new Uint8Array(16) }))).toBe('bad-mic')
  })

  it.each([
    ['station', { kind: 'station', url: 'wss://:t0p%25s%40cret@lns.example:8887/' }],
    ['chirpstack', { kind: 'chirpstack', url: 'mqtts://gate:t0p%25s%40cret@lns.example:8883', topicPrefix: 'eu868', encoding: 'json' }],
  ] as const)('a password lies sealed on disk, is there after a restart, and one that an older version wrote is sealed then (%s)', async (_kind, destination) => {
    box = await opened({}, [tenant({ destination })])
    const row = (): { destination: string; sealed: Uint8Array | null } | undefined => box.store.read((tx) => tx.get('SELECT destination, sealed FROM iot_tenant'))
    const inTheClear = (): boolean => Buffer.concat([Buffer.from(row()?.destination ?? ''), Buffer.from(row()?.sealed ?? [])]).includes('cret')
    expect([inTheClear(), row()?.sealed === null]).toEqual([false, false])
    await box.restart()
    expect(box.house.admin.tenants()[0]?.destination).toEqual(destination)

    await box.store.turn((tx) => tx.run('UPDATE iot_tenant SET destination = ?, sealed = NULL', JSON.stringify(destination)))
    expect(inTheClear()).toBe(true)
    await box.restart()
    expect([inTheClear(), box.house.admin.tenants()[0]?.destination]).toEqual([false, destination])

    // What has none is as it was given; one that is taken away is gone.
    const open = { ...destination, url: destination.url.replace(/:t0p[^@]*@/, '@') }
    await box.run(box.house.admin.put(tenant({ destination: open })))
    expect(row()).toEqual({ destination: JSON.stringify(open), sealed: null })
  })

  it('a password of an older version is in no part of the file any more, also where nothing lies now; a power cut in between is made up for', async () => {
    const inTheClear = (word: string, path = ''): string => JSON.stringify({ kind: 'chirpstack', url: `mqtts://gate:${word}@broker.example:8883`, topicPrefix: `${'x'.repeat(700)}${path}`, encoding: 'json' })
    box = await opened({}, [tenant({ destination: { kind: 'station', url: 'wss://lns.example/' } })])
    // Enough free pages for several pieces, with what was written before among them.
    await box.store.turn((tx) => {
      tx.run('CREATE TABLE other (bytes TEXT NOT NULL) STRICT')
      for (let i = 0; i < 40; i++) tx.run('INSERT INTO other VALUES (?)', `${'y'.repeat(40_000)}s3cret-free`)
    })
    await box.store.turn((tx) => tx.run('DROP TABLE other'))
    await box.store.turn((tx) => tx.run('UPDATE iot_tenant SET destination = ?, sealed = NULL', inTheClear('s3cret-first', 'y'.repeat(3_000))))
    await box.store.turn((tx) => tx.run('UPDATE iot_tenant SET destination = ?, sealed = NULL', inTheClear('s3cret-last')))
    let copies = 0
    const secretsIn = async (): Promise<readonly boolean[]> => {
      const path = join(box.folder, `copy-${copies++}`)
      await box.store.backup(path)
      const file = readFileSync(path)
      return ['s3cret-last', 's3cret-free'].map((word) => file.includes(word))
    }
    expect(await secretsIn()).toEqual([true, true])
    const cut = new CutStore(box.store, 2)
    box.house = box.newHouse(cut)
    await Promise.race([box.run(box.house.start()).catch(() => undefined), turns(40)])
    expect([cut.isDead, (await secretsIn())[1]]).toEqual([true, true])
    await box.restart()
    expect(await secretsIn()).toEqual([false, false])
    expect(box.store.read((tx) => tx.get("SELECT name FROM sqlite_schema WHERE name LIKE '%zeros%'"))).toBe(undefined)
    expect(box.house.admin.tenants()[0]?.destination).toMatchObject({ url: 'mqtts://gate:s3cret-last@broker.example:8883' })
  })

  it('free pages are used again when zeros could not be written over all of them, and the next start writes them', async () => {
    box = await opened()
    await box.store.turn((tx) => tx.run('CREATE TABLE other (bytes TEXT NOT NULL) STRICT'))
    await box.store.turn((tx) => {
      for (let i = 0; i < 40; i++) tx.run('INSERT INTO other VALUES (?)', `${'y'.repeat(40_000)}s3cret-free`)
    })
    await box.store.turn((tx) => {
      tx.run('DROP TABLE other')
      markFreePages(tx)
    })
    const free = (): number => box.store.read((tx) => tx.get<{ pages: number }>('SELECT freelist_count AS pages FROM pragma_freelist_count'))?.pages ?? 0
    const before = free()
    let turnsLeft = 2
    const failing: Pick<Store, 'turn' | 'read'> = { read: (body) => box.store.read(body), turn: (body) => (turnsLeft-- === 0 ? Promise.reject(new Error('full')) : box.store.turn(body)) }
    await expect(overwriteFreePages(failing)).rejects.toThrow('full')
    expect(free()).toBeGreaterThan(before - 10)
    await overwriteFreePages(box.store)
    const path = join(box.folder, 'copy')
    await box.store.backup(path)
    expect(readFileSync(path).includes('s3cret-free')).toBe(false)
    expect(free()).toBeGreaterThan(before - 10)
  })

  it('with a password that another box sealed, he is there without it, and nobody else is disturbed', async () => {
    const errors: string[] = []
    box = await opened({ deps: { log: { ...silentLog, error: (words) => errors.push(words) } } }, [tenant({ destination: { kind: 'station', url: 'wss://:secret@lns.example/' } }), tenant({ id: 'mill', payer: `0x${'33'.repeat(20)}`, routes: [range(0x2701_0000, 16)] })])
    box.house = box.newHouse(box.store, { seal: FOREIGN_SEAL })
    await box.run(box.house.start())
    expect(box.house.admin.tenants().map(({ id, destination }) => [id, destination])).toEqual([['farm', { kind: 'station', url: 'wss://lns.example/' }], ['mill', { kind: 'broker' }]])
    expect(errors).toEqual([expect.stringContaining('give it again')])
    expect(await box.take(uplink(1, { devAddr: 0x2701_0001 }), 'mill')).toBe('sold')
  })

  it('what another box sealed outlives a pause and other terms; it goes with the place, or when it is given again', async () => {
    const place = { kind: 'station', url: 'wss://:secret@lns.example/' } as const
    box = await opened({}, [tenant({ destination: place })])
    const sealed = (): unknown => box.store.read((tx) => tx.get<{ sealed: Uint8Array | null }>('SELECT sealed FROM iot_tenant'))?.sealed
    const first = sealed()
    const elsewhere = box.newHouse(box.store, { seal: FOREIGN_SEAL })
    await box.run(elsewhere.start())
    await box.run(elsewhere.admin.pause('farm', true))
    expect(sealed()).toEqual(first)
    await box.run(elsewhere.admin.put(tenant({ name: 'Farm II', destination: { kind: 'station', url: 'wss://lns.example/' } })))
    expect(sealed()).toEqual(first)
    await box.run(elsewhere.stop())
    await box.restart()
    expect(box.house.admin.tenants()).toMatchObject([{ name: 'Farm II', destination: place }])
    // Here it can be opened: who leaves it out wants none.
    await box.run(box.house.admin.put(tenant({ destination: { kind: 'station', url: 'wss://lns.example/' } })))
    expect(sealed()).toBe(null)
  })

  it('what another box sealed is not kept for another place, nor beside what is given again', async () => {
    box = await opened({}, [tenant({ destination: { kind: 'station', url: 'wss://:secret@lns.example/' } }), tenant({ id: 'mill', payer: `0x${'33'.repeat(20)}`, routes: [range(0x2701_0000, 16)], destination: { kind: 'station', url: 'wss://:secret@lns.example/' } })])
    box.house = box.newHouse(box.store, { seal: FOREIGN_SEAL })
    await box.run(box.house.start())
    await box.run(box.house.admin.put(tenant({ destination: { kind: 'station', url: 'wss://other.example/' } })))
    await box.run(box.house.admin.put(tenant({ id: 'mill', payer: `0x${'33'.repeat(20)}`, routes: [range(0x2701_0000, 16)], destination: { kind: 'station', url: 'wss://:again@lns.example/' } })))
    const rows = box.store.read((tx) => tx.all<{ sealed: Uint8Array | null }>('SELECT sealed FROM iot_tenant ORDER BY id'))
    expect(rows.map(({ sealed }) => sealed === null ? null : Buffer.from(sealed).toString())).toEqual([null, '{"password":"again"}'])
  })

  it('keys that another box sealed: to give more is refused with what to do, and it is logged once, not for each frame', async () => {
    const errors: string[] = []
    box = await opened({ deps: { log: { ...silentLog, error: (words) => errors.push(words) } } })
    const keys = [{ devAddr: 0x2601_0001, key: NWK_KEY }]
    await box.run(box.house.admin.putMicKeys('farm', keys))
    box.house = box.newHouse(box.store, { seal: FOREIGN_SEAL })
    await box.run(box.house.start())
    await expect(box.run(box.house.admin.putMicKeys('farm', keys))).rejects.toMatchObject({ kind: 'conflict', code: 'key-sealed-elsewhere', field: 'keys', value: '26010001', allowed: expect.stringMatching(/forget-keys farm.*tenant keys farm FILE/) })
    for (let fCnt = 0; fCnt < 5; fCnt++) expect(await box.take(uplink(fCnt))).toBe('bad-mic')
    expect(errors).toEqual([expect.stringMatching(/forget-keys/)])
    await box.run(box.house.admin.forgetMicKeys('farm'))
    expect(await box.take(uplink(9))).toBe('sold')
  })

  it('one payer and token pay for one tenant', async () => {
    box = await opened()
    await expect(box.run(box.house.admin.put(tenant({ id: 'second', routes: [range(0x2700_0000, 8)] })))).rejects.toMatchObject({ code: 'payer-taken', message: expect.stringContaining('farm') })
    expect(box.house.admin.tenants()).toHaveLength(1)
  })
})

describe('the end of a tenant', () => {
  it('frees his routes and keeps his debt; a payment still counts; put again, he goes on where he was', async () => {
    box = await opened()
    await box.run(box.house.admin.putMicKeys('farm', [{ devAddr: 0x2601_0001, key: NWK_KEY }]))
    for (const fCnt of [1, 2, 3]) await box.take(uplink(fCnt))
    const ended = await box.run(box.house.admin.end('farm'))
    expect(ended).toMatchObject({ isEnded: true, isServed: false, isOnline: false, owed: 30n, routes: [] })
    expect(box.server().closed).toBe(1)
    expect(await box.take(uplink(4))).toBe('not-ours')
    await box.run(box.house.admin.put(tenant({ id: 'heir', payer: OTHER })))
    expect(await box.take(uplink(4), 'heir')).toBe('sold')

    await box.restart()
    await box.pass(61_000, 1_000)
    expect(box.receipts()[0]?.cumAmount).toBe(30n)
    box.payments.pay(30n)
    await box.pass(1_100)
    expect(box.balance(dueAccount('farm'))).toBe(0n)
    const again = await box.run(box.house.admin.put(tenant({ routes: [range(0x2701_0000, 16)] })))
    expect(again).toMatchObject({ isEnded: false, owed: 0n, account: { epoch: 1n, seq: 3n } })
    expect(await box.take(uplink(9, { devAddr: 0x2701_0001, key: new Uint8Array(16) })), 'his keys went with him').toBe('sold')
    expect(box.units().at(-1)?.seq).toBe(4n)
  })

  it('with another payer another account begins, and the old debt is still shown; with the old payer the old one goes on', async () => {
    box = await opened()
    await box.take(uplink(1))
    await box.run(box.house.admin.put(tenant({ payer: OTHER })))
    await box.take(uplink(2))
    expect(box.house.admin.tenants()[0]).toMatchObject({ owed: 10n, account: { epoch: 2n, seq: 1n }, balances: [{ epoch: 1n, payer: PAYER, owed: 10n }, { epoch: 2n, payer: OTHER, token: TOKEN, owed: 10n }] })
    const back = await box.run(box.house.admin.put(tenant()))
    expect(back.account).toMatchObject({ epoch: 1n, seq: 1n })
    await box.run(box.house.stop())
    expect(box.earned()).toBe(20n)
  })

  it('while frames are on their way: nothing of it is kept or billed', async () => {
    box = await opened()
    box.server().isOnline = false
    const take = box.house.take(heardOf(uplink(1)), ['farm'])
    await turns()
    await box.run(box.house.admin.end('farm'))
    expect((await box.run(take, 500)).get('farm')).toBe('undelivered')
    expect(box.house.admin.tenants()[0]).toMatchObject({ owed: 0n, lateFrames: 0 })
  })

  it('another destination gets another connection, other terms do not', async () => {
    box = await opened()
    await box.run(box.house.admin.put(tenant({ creditWindow: 5n })))
    expect(box.server().closed).toBe(0)
    await box.run(box.house.admin.put(tenant({ destination: { kind: 'gwmp', host: 'x', port: 1700 } })))
    expect(box.server().closed).toBe(1)
    expect(await box.take(uplink(1))).toBe('sold')
  })
})

describe('money in the ledger', () => {
  it('is earned by receipts, owed until it is paid, and posted once', async () => {
    box = await opened()
    for (const fCnt of [1, 2, 3]) await box.take(uplink(fCnt))
    expect(box.earned()).toBe(0n)
    await box.pass(61_000, 1_000)
    expect([box.earned(), box.balance(dueAccount('farm')), box.balance('cash:channels')]).toEqual([30n, 30n, 0n])
    box.payments.pay(50n)
    await box.pass(1_100)
    await box.restart()
    await box.pass(1_100)
    expect([box.earned(), box.balance(dueAccount('farm')), box.balance('cash:channels')]).toEqual([30n, -20n, 50n])
    const entries = box.store.read((tx) => box.ledger.entries(tx, { limit: 100 }))
    expect(entries.map(({ source, evidence }) => [source, evidence.type, evidence.id])).toEqual([['iot:uplink', 'iot-receipt', 'farm:1:3'], ['iot:payment', 'iot-payment', 'farm:1:50']])
    box.payments.pay(5n)
    await box.pass(1_100)
    expect([box.balance(dueAccount('farm')), box.balance('cash:channels')]).toEqual([-25n, 55n])
    expect(box.store.read((tx) => box.ledger.audit(tx))).toEqual([{ token: 'TOK', sum: 0n, unbalancedEntries: [] }])
  })

  it('a statement says what was bought, by day and kind', async () => {
    box = await opened()
    box.time.trusted = true
    await box.take(uplink(1, { bytes: 30 }))
    await box.take(uplink(2))
    expect(box.house.admin.statement('farm')).toEqual([{ day: '2023-11-14', epoch: 1n, kind: 'uplink', entries: 2, units: 3n, amount: 30n }])
    expect(box.house.admin.statement('farm', { fromDay: '2023-11-15' })).toEqual([])
    expect(() => box.house.admin.statement('nobody')).toThrow(expect.objectContaining({ kind: 'not-found' }))
  })

  it('only the newest units and receipts are kept; what they add up to is kept for ever', async () => {
    box = await opened({ limits: { keptUnits: 5, keptReceipts: 2 } }, [tenant({ creditWindow: 1_000_000n })])
    for (let fCnt = 0; fCnt < 12; fCnt++) {
      await box.take(uplink(fCnt))
      if (fCnt % 3 === 2) await box.pass(61_000, 1_000)
    }
    await box.pass(6_000, 500)
    expect(box.store.read((tx) => tx.all<{ seq: number }>('SELECT seq FROM iot_unit')).map(({ seq }) => seq)).toEqual([8, 9, 10, 11, 12])
    expect(box.receipts().map(({ seq }) => seq)).toEqual([12n, 9n])
    expect(box.earned()).toBe(120n)
  })
})
