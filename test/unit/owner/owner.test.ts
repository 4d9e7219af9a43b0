import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { momentOf } from '../../../src/base/index.ts'
import { hashCounters, writeReceipt } from '../../../src/hotspot/receipt/index.ts'
import { Owner } from '../../../src/owner/index.ts'
import type { IotStatusJson } from '../../../src/owner/index.ts'
import { metricsText } from '../../../src/owner/metrics.ts'
import { buildHouse, FACTS } from './house.ts'
import type { House } from './house.ts'
import { sessionView } from './scripted-desk.ts'

let house: House
beforeEach(async () => {
  house = await buildHouse()
})
afterEach(() => house.close())

async function earn(id: string, amount: bigint): Promise<number> {
  const at = momentOf(house.time)
  return house.store.turn((tx) => house.ledger.earn(tx, { source: 'hotspot:voucher', token: 'TOK', amount, from: 'cash:vouchers', evidence: { type: 'voucher', id }, at }))
}

describe('sessions', () => {
  it('lists open ones newest first, page by page', () => {
    expect(house.owner.sessions().sessions.map((one) => one.id)).toEqual(['00000000000000a3', '00000000000000a2'])
    expect(house.owner.sessions({ limit: 1 })).toMatchObject({ sessions: [{ id: '00000000000000a3' }], nextBeforeId: '00000000000000a3' })
    expect(house.owner.sessions({ limit: 5, beforeId: '00000000000000a3', state: 'all' })).toMatchObject({ sessions: [{ id: '00000000000000a2' }, { id: '00000000000000a1' }], nextBeforeId: null })
  })

  it('finds by id, label, MAC and address, over page borders', () => {
    house.desk.all.length = 0
    for (let n = 0; n < 1500; n++)
      house.desk.all.push(sessionView(`s${String(n).padStart(4, '0')}`, { label: n === 3 ? 'Special' : 'plain', devices: [{ mac: `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`, ip4: `10.77.${n >> 8}.${n & 255}` }] }))
    expect(house.owner.sessions({ find: 'special' }).sessions.map((one) => one.id)).toEqual(['s0003'])
    expect(house.owner.sessions({ find: '02:00:00:00:00:04' }).sessions.map((one) => one.id)).toEqual(['s0004'])
    expect(house.owner.sessions({ find: '10.77.1.7' , limit: 1 })).toMatchObject({ sessions: [{ id: 's0335' }] })
    const pages: string[] = []
    for (let beforeId: string | undefined, more = true; more; ) {
      const page = house.owner.sessions({ find: '.77.2.', limit: 100, ...(beforeId === undefined ? {} : { beforeId }) })
      pages.push(...page.sessions.map((one) => one.id))
      beforeId = page.nextBeforeId ?? undefined
      more = page.nextBeforeId !== null
    }
    expect(pages).toEqual(Array.from({ length: 256 }, (_unused, n) => `s${String(767 - n).padStart(4, '0')}`))
  })

  it('says what may be done with each', () => {
    const actions = (over: object): readonly string[] => {
      house.desk.all[0] = sessionView('00000000000000a1', over)
      return house.owner.session('00000000000000a1').actions
    }
    expect(actions({})).toEqual(['pause', 'extend', 'kick', 'refund'])
    expect(actions({ paid: 0n })).toEqual(['pause', 'extend', 'kick'])
    expect(actions({ state: 'paused', refunded: 3_000_000n })).toEqual(['resume', 'extend', 'kick'])
    expect(actions({ state: 'credited' })).toEqual(['kick', 'refund'])
    expect(actions({ state: 'ended' })).toEqual([])
  })

  it('passes each verb on and shows what became of it', async () => {
    const id = '00000000000000a2'
    expect(await house.owner.pause(id)).toMatchObject({ state: 'paused', pauseReason: 'owner' })
    expect(await house.owner.resume(id)).toMatchObject({ state: 'active' })
    expect(await house.owner.extend(id, { seconds: 600 })).toMatchObject({ secondsLeft: 1834 })
    expect(await house.owner.refund(id)).toMatchObject({ refunded: { units: '1500000', text: '1.5' }, session: { refunded: { text: '1.5' } } })
    expect(await house.owner.kick(id)).toMatchObject({ state: 'ended' })
    expect(house.desk.asked).toEqual([`pause ${id}`, `resume ${id}`, `extend {"seconds":600} ${id}`, `refund ${id}`, `kick ${id}`])
  })

  it.each([{}, { seconds: 0 }, { seconds: 366 * 86_400 + 1 }, { bytes: 1.5 }, { bytes: -1 }])('does not extend by %j', async (add) => {
    await expect(house.owner.extend('00000000000000a2', add)).rejects.toMatchObject({ code: 'bad-input' })
    expect(house.desk.asked).toEqual([])
  })
})

describe('vouchers', () => {
  it('makes, lists, counts and revokes them', async () => {
    const made = await house.owner.createVouchers({ packageId: 'half_hour', count: 3, validUntil: '2099-12-31', note: 'Fiesta' })
    expect(made.vouchers).toHaveLength(3)
    expect(made.vouchers[0]).toMatchObject({ label: 'Fiesta', seconds: 1800, validUntil: '2099-12-31', price: { units: '3000000', text: '3' } })
    expect(house.owner.vouchers({ batch: made.batch, limit: 2 })).toMatchObject({ nextOffset: 2 })
    expect(house.owner.vouchers({ batch: made.batch, limit: 2, offset: 2 })).toMatchObject({ nextOffset: null })
    expect(house.owner.voucherBatches().batches).toEqual([expect.objectContaining({ batch: made.batch, count: 3, price: { units: '3000000', text: '3' } })])
    expect(await house.owner.revokeVouchers({ batch: made.batch })).toEqual({ revoked: 3 })
  })

  it('takes exactly one way of naming what is revoked', async () => {
    for (const ref of [{}, { id: '0.0.1', batch: 'b1' }]) await expect(house.owner.revokeVouchers(ref)).rejects.toThrow('exactly one')
  })

  it('refuses a last day that is over, once the clock is trusted', async () => {
    house.time.trusted = true
    await expect(house.owner.createVouchers({ packageId: 'half_hour', count: 1, validUntil: '2023-11-13' })).rejects.toMatchObject({ field: 'validUntil' })
    await house.owner.createVouchers({ packageId: 'half_hour', count: 1, validUntil: '2023-11-14' })
    house.time.trusted = false
    await house.owner.createVouchers({ packageId: 'half_hour', count: 1, validUntil: '2023-11-13' })
  })
})

describe('prices', () => {
  it('shows them in tokens and in units', () => {
    expect(house.owner.tariff()).toMatchObject({ token: { symbol: 'TOK', decimals: 6 }, pricePerMinute: { units: '100000', text: '0.1' }, minutesPerToken: '10', packages: [{ id: 'half_hour', price: { text: '3' } }] })
  })

  it('changes only what is given, in the configuration file', async () => {
    const { reload } = await house.owner.changeTariff({ minutesPerToken: 20, trialMinutes: 5 })
    expect(reload).toEqual({ applied: ['tariff.price_per_minute'], needsRestart: [] })
    expect(house.config.text()).toContain("option price_per_minute '0.05'")
    expect(house.config.text()).toContain('# prices')
    expect(house.owner.tariff()).toMatchObject({ trialMinutes: 5, packages: [{ id: 'half_hour' }] })
  })

  it('replaces the packages, and finds a slot for a new one', async () => {
    const [old] = house.owner.tariff().packages
    if (!old) throw new Error('the configuration has a package')
    const day = { id: 'day', label: '1 day', seconds: 86_400, bytes: null, price: '18', devices: 2, downKbps: null, upKbps: null, offered: true }
    const { tariff } = await house.owner.changeTariff({ packages: [{ ...old, price: '2.5', tokens: null }, day] })
    expect(tariff.packages.map((one) => [one.id, one.slot, one.price.units])).toEqual([
      ['half_hour', 0, '2500000'],
      ['day', 1, '18000000'],
    ])
  })

  it('shows what packages are worth in tokens, keeps it, changes it and takes it away', async () => {
    const slip = { id: 'slip', label: '2 tokens', seconds: null, bytes: null, tokens: '2', price: '2', devices: 1, downKbps: null, upKbps: null, offered: false }
    const [old] = house.owner.tariff().packages
    if (!old) throw new Error('the configuration has a package')
    const half = { ...old, price: old.price.text, tokens: null }
    const worthOf = async (...packages: readonly object[]): Promise<unknown> => {
      const { tariff } = await house.owner.changeTariff({ packages: packages as never, burnerCap: '1.5' })
      return tariff.packages.find(({ id }) => id === 'slip')?.tokens
    }
    expect(await worthOf(half, slip)).toEqual({ units: '2000000', text: '2' })
    const { tokens: _left, ...silent } = slip
    expect(await worthOf(half, silent)).toMatchObject({ text: '2' })
    expect(await worthOf(half, { ...slip, tokens: null, seconds: 60 })).toBeNull()
    expect(house.owner.tariff().burnerCap).toMatchObject({ text: '1.5' })
    await expect(worthOf(half, { ...slip, seconds: 60 })).rejects.toThrow('tokens alone')
  })

  it('does not lose one change under another', async () => {
    await Promise.all([house.owner.changeTariff({ trialMinutes: 7 }), house.owner.changeTariff({ pricePerMib: '0.01' }), house.owner.changeSettings({ name: 'Bar Luna' }, false)])
    expect(house.config.current().tariff).toMatchObject({ trialMinutes: 7, pricePerMib: 10_000n })
    expect(house.config.current().main.name).toBe('Bar Luna')
  })

  it.each([
    [{ pricePerMinute: '0.1234567' }, 'price_per_minute'],
    [{ trialMinutes: 1441 }, 'trial_minutes'],
    [{ pricePerMinute: '1', minutesPerToken: 1 }, 'minutesPerToken'],
  ])('refuses %j and goes on with the old ones', async (change, named) => {
    const before = house.config.text()
    await expect(house.owner.changeTariff(change)).rejects.toThrow(named)
    expect(house.config.text()).toBe(before)
    await house.owner.changeTariff({ trialMinutes: 1 })
  })
})

describe('earnings', () => {
  it('are nothing at first', () => {
    house.time.trusted = true
    const answer = house.owner.earnings({ days: 7 })
    expect(answer).toMatchObject({ today: '2023-11-14', earnedToday: { all: { units: '0' } }, bySource: [], accounts: [] })
    expect(answer.days).toHaveLength(7)
    expect(answer.days.at(-1)?.day).toBe('2023-11-14')
  })

  it('are counted by day, month and source, split, with refunds taken off', async () => {
    house.time.trusted = true
    await earn('a', 4_000_000n)
    house.time.jumpWall(86_400_000)
    const second = await earn('b', 2_000_000n)
    await house.store.turn((tx) => house.ledger.earn(tx, { source: 'mesh:relay', token: 'OLD', amount: 9n, from: 'cash:relay', evidence: { type: 'payment', id: 'x' }, at: momentOf(house.time) }))
    await house.store.turn((tx) => house.ledger.reverse(tx, second, 1_000_000n, { type: 'refund', id: 'r' }, momentOf(house.time)))
    const answer = house.owner.earnings({ days: 3 })
    expect(answer).toMatchObject({
      clockTrusted: true,
      today: '2023-11-15',
      earnedToday: { all: { text: '1' }, owner: { text: '0.75' } },
      earnedMonth: { all: { text: '5' }, owner: { text: '3.75' } },
      earnedTotal: { all: { text: '5' }, owner: { text: '3.75' } },
      bySource: [{ source: 'hotspot:voucher', today: { all: { text: '1' } }, total: { all: { text: '5' } } }],
      otherTokens: [{ token: 'OLD', units: '9' }],
    })
    expect(answer.days.map((day) => [day.day, day.all.text])).toEqual([
      ['2023-11-13', '0'],
      ['2023-11-14', '4'],
      ['2023-11-15', '1'],
    ])
    const sums = Object.fromEntries(answer.accounts.map((one) => [one.account, `${one.kind} ${one.amount.text}`]))
    expect(sums).toMatchObject({ 'cash:vouchers': 'till 5', owner: 'owed 3.75' })
    expect(Object.values(sums)).toContain('owed 1.25')
  })

  it('have no date while the clock is not trusted', async () => {
    await earn('a', 4_000_000n)
    expect(house.owner.earnings()).toMatchObject({ clockTrusted: false, earnedMonth: null, days: [], earnedToday: { all: { text: '4' } }, undated: { all: { text: '4' } } })
    expect(house.owner.earnings().today).toMatch(/^boot:/)
  })

  it('come with the entries of the book, page by page', async () => {
    for (const id of ['a', 'b', 'c']) await earn(id, 4_000_000n)
    const first = house.owner.entries({ limit: 2 })
    expect(first.entries.map((entry) => entry.evidence.id)).toEqual(['a', 'b'])
    for (const entry of first.entries) expect(entry.postings.reduce((sum, posting) => sum + BigInt(posting.amount.units), 0n)).toBe(0n)
    const second = house.owner.entries({ limit: 2, afterId: first.nextAfterId ?? -1 })
    expect(second).toMatchObject({ entries: [{ evidence: { id: 'c' }, kind: 'earn' }], nextAfterId: null })
  })
})

describe('receipts', () => {
  it('are checked against the key of this box', async () => {
    const { identity } = house
    const receipt = writeReceipt(
      {
        venue: 'Café', receiptNumber: 'R-1', sessionId: '00000000000000a2', label: '30 minutes', boughtSeconds: 1800, boughtBytes: null, tokenSymbol: 'TOK', tokenDecimals: 6,
        price: 3_000_000n, refunded: 0n, secondsUsed: 60, upBytes: 1, downBytes: 2, startedUnixSeconds: 1_700_000_000, startedTrusted: false, endedUnixSeconds: null, endedTrusted: false,
        countersHash: hashCounters('00000000000000a2', []),
      },
      identity,
    )
    const checked = house.owner.verifyReceipt({ receipt })
    expect(checked).toMatchObject({ valid: true, ours: true, signer: identity.address })
    expect(checked.facts).toContainEqual({ name: 'Price', value: '3 TOK' })
    expect(house.owner.verifyReceipt({ receipt: receipt.replace('Price: 3 ', 'Price: 1 ') })).toMatchObject({ valid: false, ours: false, facts: [] })
    const stranger = new Owner({ ...house.ports, identity: { ...identity, address: '0x0000000000000000000000000000000000000001' } })
    expect(stranger.verifyReceipt({ receipt })).toMatchObject({ valid: true, ours: false })
  })
})

describe('status', () => {
  it('puts what is bad first and says what to do', () => {
    house.desk.hotspot = { ...house.desk.hotspot, gate: { state: 'down', reason: 'no nft', repairs: 0, devices: 0 } }
    const { health } = house.owner.status()
    expect(health[0]).toEqual({ part: 'gate', level: 'bad', text: 'Gate down: no nft', advice: 'Guests are cut off as their leases end. See the log.' })
    expect(health.map((line) => line.level)).toEqual([...health.map((line) => line.level)].sort((a, b) => ['bad', 'warn', 'ok'].indexOf(a) - ['bad', 'warn', 'ok'].indexOf(b)))
    expect(new Set(health.map((line) => line.part)).size).toBe(health.length)
  })

  it('counts its own time from its start on the boot clock', () => {
    house.time.advance(61_000)
    house.time.jumpWall(-1e12)
    expect(house.owner.status()).toMatchObject({ uptimeSeconds: 61, bootUptimeSeconds: 1061, name: 'Café Alegría', version: '1.2.3', clock: { trusted: false, sources: ['ntp'] } })
  })

  it('shows the last events, at a level', () => {
    house.ports.log.debug('small')
    house.ports.log.error('big')
    expect(house.owner.recentEvents({ level: 'warn', limit: 5 }).events.map((event) => event.line)).toEqual(['meshbox: big'])
  })
})

describe('metrics', () => {
  it('are Prometheus text: help and type before each, labels quoted, every value a number', async () => {
    await earn('a', 4_000_000n)
    const text = house.owner.metrics()
    const lines = text.trimEnd().split('\n')
    const typed = new Set<string>()
    for (const line of lines) {
      const type = /^# TYPE (\w+) (gauge|counter)$/.exec(line)
      if (type?.[1]) typed.add(type[1])
      if (line.startsWith('#')) continue
      const sample = /^(\w+)(?:\{(?:\w+="(?:[^"\\\n]|\\.)*",?)+\})? (-?[0-9.]+)$/.exec(line)
      expect([line, sample !== null]).toEqual([line, true])
      expect(typed).toContain(sample?.[1])
      expect(Number.isFinite(Number(sample?.[2]))).toBe(true)
    }
    expect(text).toContain('meshbox_earned_tokens{source="hotspot:voucher",token="TOK"} 4\n')
    expect(text).toContain('meshbox_gate_state{state="ready"} 1\n')
    expect(text).toContain('meshbox_anonymous_memory_bytes 20000000\n')
    expect(text).toContain('meshbox_build_info{version="1.2.3",runtime="node v22.0.0"} 1\n')
  })

  it('leave out what the machine does not tell, and quote labels', () => {
    const status = { ...house.owner.status(), version: 'a"b\\c\nd', facts: { ...FACTS, disk: null, memory: { ...FACTS.memory, rssAnonBytes: null } } }
    const text = metricsText(status, { symbol: 'TOK', decimals: 6 }, [], null, null, null)
    expect(text).not.toContain('disk_free')
    expect(text).not.toContain('anonymous_memory')
    expect(text).not.toContain('meshbox_channels_state')
    expect(text).toContain('version="a\\"b\\\\c\\nd"')
  })

  it('count what concentrators bring, and say when IoT is configured and does not run', () => {
    const status = { ...house.owner.status(), iot: true }
    const iot: IotStatusJson = {
      region: 'EU868', doors: { gwmp: '127.0.0.1:1700', station: null }, broker: { kind: 'own', isConnected: false, problem: 'mosquitto is not installed', unpublished: 12 }, gateways: { online: 1, known: 2 },
      devices: { online: 3, known: 4, joined: 4 }, tenants: { served: 1, known: 2, expired: [], expiring: [] }, rules: { live: 0, known: 0 }, uplinks: 1_234, refusedPackets: 5, downlinksSent: 6, downlinksFailed: 7, late: { frames: 8, bytes: 99, lost: '0' },
    }
    const linesOf = (room: IotStatusJson | null): readonly string[] => metricsText(status, { symbol: 'TOK', decimals: 6 }, [], null, null, room).split('\n').filter((line) => line.startsWith('meshbox_iot_'))
    expect(linesOf(iot)).toEqual([
      'meshbox_iot_up 1', 'meshbox_iot_gateways 1', 'meshbox_iot_devices 3', 'meshbox_iot_tenants 1', 'meshbox_iot_uplinks_total 1234', 'meshbox_iot_refused_packets_total 5', 'meshbox_iot_downlinks_total{end="sent"} 6',
      'meshbox_iot_downlinks_total{end="failed"} 7', 'meshbox_iot_late_frames 8', 'meshbox_iot_broker_up 0', 'meshbox_iot_unpublished_readings 12',
    ])
    expect(linesOf(null)).toEqual(['meshbox_iot_up 0'])
  })
})
