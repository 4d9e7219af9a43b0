/** The owner's door to payment channels: what goes in, what comes out, what is refused and how. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Owner, photonOutOfOrder } from '../../../src/owner/index.ts'
import { PhotonVerbs } from '../../../src/owner/photon.ts'
import { ALARMED, CHANNELS, GUEST, MINUTE, NEIGHBOUR, PAYMENTS, SELF, UNNAMED, account, hash, scriptedPhoton } from '../../support/photon-views.ts'
import { buildHouse } from './house.ts'
import type { House } from './house.ts'

const MIN = { address: MINUTE, symbol: 'MIN', decimals: 6 }
const [first = hash(1), , third = hash(3)] = CHANNELS.map((one) => one.id)
const [pending = hash(101), , , done = hash(104)] = PAYMENTS.map((one) => one.id)

describe('the verbs', () => {
  const photon = scriptedPhoton()
  const verbs = new PhotonVerbs(photon)

  it('show amounts in tokens and exactly', () => {
    expect(verbs.channel(first)).toMatchObject({ token: MIN, own: { deposit: { units: '1000000000', text: '1000' }, spendable: { text: '620.5' }, locked: { text: '12' } }, epoch: '1', partner: { nonce: '9' } })
    expect(verbs.status()).toMatchObject({ account: SELF, chainId: '1388906659', gas: { text: '2.5' }, wrapped: { token: { symbol: 'wSMT', decimals: 18 }, balance: { text: '40' } }, earned: [{ token: MIN, fees: { text: '3.75' }, streams: { text: '214.5' } }], tokens: [MIN] })
    expect(verbs.payment(done)).toMatchObject({ state: 'done', data: 'dinner', amount: { text: '4' }, fee: { text: '0.02' } })
  })

  it('show a token that nobody has named in its smallest units', () => {
    expect(verbs.channels().channels[1]).toMatchObject({ token: { address: UNNAMED, symbol: '0x7171…7171', decimals: 0 }, own: { deposit: { units: '10', text: '10' } } })
  })

  it('say what may be ordered in each state', () => {
    expect(verbs.channels().channels.map((one) => one.actions.join(' '))).toEqual(['', 'force-close', 'pay withdraw deposit close force-close', 'force-close', 'pay withdraw deposit close force-close'])
  })

  it('begin with what wants looking at, and give no more channels than are asked for', () => {
    expect(verbs.channels().channels.map((one) => [one.alarm !== null, one.role])).toEqual([[true, 'core'], [true, 'core'], [false, 'core'], [false, 'core'], [false, 'leaf']])
    expect(verbs.channels({ limit: 2 })).toMatchObject({ total: 5, channels: [{ id: hash(3) }, { id: hash(4) }] })
  })

  it('show data that is no text as hex, and states in words', () => {
    const { payments } = verbs.payments()
    expect(payments.map((one) => one.state)).toEqual(['cancellable', 'done', 'done', 'done', 'failed', 'cancelled', 'cancellable'])
    expect(payments[1]?.data).toBe('0xfffe')
  })

  it('show an alarm with what becomes of it, and why a partner did not close together', () => {
    expect(new PhotonVerbs(scriptedPhoton({ status: () => ALARMED })).status().alarms).toMatchObject([{ id: '1', code: 'chain-gap', isClearable: true }, { id: '2', code: 'gas-money', isClearable: false }])
    expect(verbs.channel(hash(5))).toMatchObject({ phase: 'cooperative-settling', closeRefusal: { code: 5025, reason: 'a payment of mine is under way' }, actions: ['force-close'] })
  })

  it('call the wrapped coin as the owner does', () => {
    const named = new PhotonVerbs({ ...photon, tokens: () => [{ address: account(0x72), symbol: 'COIN', decimals: 18 }] })
    expect(named.status().wrapped).toMatchObject({ token: { symbol: 'COIN' }, balance: { text: '40' } })
    expect(new PhotonVerbs(scriptedPhoton({ status: () => ({ ...ALARMED, wrapped: null }) })).status().wrapped).toBeNull()
  })

  it('give payments page by page', () => {
    const one = verbs.payments({ limit: 4 })
    expect([one.payments.length, one.next]).toEqual([4, 4])
    const two = verbs.payments({ limit: 4, before: 4 })
    expect([two.payments.length, two.next]).toEqual([3, null])
  })

  it('count the blocks that a duty has left', () => {
    expect(verbs.duties().duties.map((one) => one.blocksLeft)).toEqual([39_787, null])
  })

  it('hand orders on in smallest units', async () => {
    photon.asked.length = 0
    expect(await verbs.open({ partner: NEIGHBOUR.toUpperCase().replace('0X', '0x'), amount: '2.5' })).toEqual({ channel: hash(6) })
    expect(await verbs.open({ partner: NEIGHBOUR, amount: '1', token: MINUTE, settleTimeoutBlocks: 600, role: 'core' })).toEqual({ channel: hash(6) })
    await verbs.deposit(first, { amount: '0.000001' })
    await verbs.withdraw(first, { amount: '3' })
    await verbs.close(hash(2), {})
    await verbs.close(hash(5), { force: true })
    await verbs.pay({ target: GUEST, amount: '4', token: 'min' })
    await verbs.pay({ target: GUEST, amount: '4', direct: true, maxFee: '0', data: 'thé', secretHash: hash(9) })
    await verbs.addPeer({ account: GUEST, address: '/ip4/192.0.2.7/tcp/4011' })
    await verbs.clearAlarm('1')
    await verbs.wrap({ amount: '2.5' })
    await verbs.unwrap({ amount: '0.000000000000000001' })
    expect(photon.asked).toEqual([
      `open ${NEIGHBOUR} ${MINUTE} 2500000 null leaf`,
      `open ${NEIGHBOUR} ${MINUTE} 1000000 600 core`,
      `deposit ${first} 1`,
      `withdraw ${first} 3000000`,
      `close ${hash(2)} false`,
      `close ${hash(5)} true`,
      `pay ${GUEST} ${MINUTE} 4000000 false 40000 0 null`,
      `pay ${GUEST} ${MINUTE} 4000000 true 0 4 ${hash(9)}`,
      `add-peer ${GUEST} /ip4/192.0.2.7/tcp/4011`,
      'clear-alarm 1',
      'wrap 2500000000000000000',
      'unwrap 1',
    ])
  })

  it('answer with how it is after the order', async () => {
    const other = new PhotonVerbs(scriptedPhoton())
    expect(await other.deposit(first, { amount: '1' })).toMatchObject({ own: { deposit: { text: '1001' } } })
    expect(await other.close(first, { force: true })).toMatchObject({ phase: 'closing', actions: [] })
    expect(await other.cancel(pending)).toMatchObject({ state: 'cancelled', reason: 'called back' })
    expect((await other.pay({ target: GUEST, amount: '1' })).payment).toMatchObject({ state: 'done', peer: GUEST })
  })

  it.each([
    ['no amount', 'amount', () => verbs.deposit(first, { amount: '0' })],
    ['more digits than the token has', 'amount', () => verbs.deposit(first, { amount: '0.0000001' })],
    ['more than can be taken out', 'amount', () => verbs.withdraw(hash(2), { amount: '3.250001' })],
    ['a fee that is no number', 'maxFee', () => verbs.pay({ target: GUEST, amount: '1', maxFee: '0.00000001' })],
    ['a symbol that nobody gave', 'token', () => verbs.pay({ target: GUEST, amount: '1', token: 'GOLD' })],
    ['a part of the smallest unit', 'amount', () => verbs.pay({ target: GUEST, amount: '0.5', token: UNNAMED })],
    ['a channel with itself', 'partner', () => verbs.open({ partner: SELF, amount: '1' })],
    ['too much data', 'data', () => verbs.pay({ target: GUEST, amount: '1', data: 'é'.repeat(129) })],
    ['a channel that is not there', 'id', () => verbs.deposit(hash(77), { amount: '1' })],
    ['an alarm that is not there', 'id', () => verbs.clearAlarm('7')],
    ['no coins', 'amount', () => verbs.wrap({ amount: '0' })],
    ['a part of the smallest coin', 'amount', () => verbs.unwrap({ amount: '0.0000000000000000001' })],
    ['a payment that is not there', 'id', () => verbs.cancel(hash(77))],
  ])('refuse %s, naming the field', async (_what, field, order) => {
    await expect((async () => order())()).rejects.toMatchObject({ field })
  })

  it('take amounts of a token that nobody named in its smallest units', async () => {
    photon.asked.length = 0
    await verbs.pay({ target: GUEST, amount: '7', token: UNNAMED.toUpperCase().replace('0X', '0x') })
    expect(photon.asked).toEqual([`pay ${GUEST} ${UNNAMED} 7 false 0 0 null`])
  })

  it('ask for an address where two tokens have one symbol', () => {
    const twice = new PhotonVerbs({ ...photon, tokens: () => [{ ...MIN, decimals: 6 }, { address: UNNAMED, symbol: 'min', decimals: 2 }] })
    expect(() => twice.paths({ target: GUEST, amount: '1', token: 'MIN' })).toThrow(/several tokens are called so: MIN \(0x7070/)
    expect(twice.paths({ target: GUEST, amount: '1', token: UNNAMED }).token.decimals).toBe(2)
  })

  it('name what is missing where the owner has named no token', () => {
    const none = new PhotonVerbs({ desk: photon.desk, tokens: () => [] })
    expect(none.channel(first).token).toEqual(MIN)
    expect(() => none.paths({ target: GUEST, amount: '1' })).toThrow(/allowed: an address: no token is named in the configuration/)
  })
})

describe('a box without them', () => {
  it('says so', async () => {
    const verbs = new PhotonVerbs(null)
    expect(verbs.isOn).toBe(false)
    expect(() => verbs.status()).toThrow(expect.objectContaining({ kind: 'unavailable', code: 'photon-off' }))
    await expect(verbs.pay({ target: GUEST, amount: '1' })).rejects.toMatchObject({ code: 'photon-off' })
  })

  it('says why they did not start', async () => {
    const verbs = new PhotonVerbs({ desk: photonOutOfOrder('no contract at 0x00'), tokens: () => [] })
    for (const ask of [() => verbs.status(), () => verbs.channels(), () => verbs.payments(), () => verbs.duties(), () => verbs.peers(), () => verbs.watching(), () => verbs.payment(hash(1))])
      expect(ask).toThrow(expect.objectContaining({ code: 'photon-not-started', message: expect.stringContaining('no contract at 0x00') as string }))
    await expect(verbs.close(hash(1), {})).rejects.toMatchObject({ code: 'photon-not-started' })
    await expect(verbs.addPeer({ account: GUEST, address: '/x' })).rejects.toMatchObject({ code: 'photon-not-started' })
  })
})

describe('the health of the box', () => {
  const lineOf = (change: Parameters<typeof scriptedPhoton>[0]): unknown => new PhotonVerbs(scriptedPhoton(change)).health()
  it('has a line for them', () => {
    expect(lineOf({})).toEqual({ part: 'channels', level: 'ok', text: 'Payment channels are ready' })
    expect(lineOf({ status: () => ALARMED })).toMatchObject({ level: 'bad', text: 'Payment channels: Blocks 48,010 to 48,030 could not be read: channels may have changed in them.' })
    expect(lineOf({ status: () => ({ ...ALARMED, alarms: [] }) })).toMatchObject({ level: 'bad', text: 'Payment channels are halted' })
    expect(lineOf({ status: () => ({ ...ALARMED, alarms: [], state: 'offline' }) })).toMatchObject({ level: 'warn' })
    expect(new PhotonVerbs({ desk: photonOutOfOrder('no contract'), tokens: () => [] }).health()).toMatchObject({ level: 'bad', advice: expect.stringContaining('no contract') as string })
    expect(new PhotonVerbs(null).health()).toBeNull()
  })
})

describe('over the control socket and the dashboard', () => {
  let house: House
  beforeEach(async () => void (house = await buildHouse()))
  afterEach(() => house.close())

  it('tells the page whether there is anything to show', () => {
    expect(house.owner.status().photon).toBe(true)
    expect(new Owner({ ...house.ports, photon: null }).status().photon).toBe(false)
    const { photon: _left, ...without } = house.ports
    expect(new Owner(without).status().photon).toBe(false)
  })

  it('are in the metrics, as numbers; out of order they are down, and without the role they are not there', () => {
    const text = house.owner.metrics()
    for (const line of ['channels_up 1', 'channels_state{state="ready"} 1', 'channels_state{state="offline"} 0', 'channels 5', 'channels_peers 2', 'channels_alarms 0', 'channels_gas_coins 2.5']) expect(text).toContain(`\nmeshbox_${line}\n`)
    const broken = new Owner({ ...house.ports, photon: { desk: photonOutOfOrder('no such contract'), tokens: () => [] } }).metrics()
    expect(broken).toContain('\nmeshbox_channels_up 0\n')
    expect(broken).not.toContain('channels_state')
    expect(new Owner({ ...house.ports, photon: null }).metrics()).not.toContain('meshbox_channels')
  })

  it('refuses by field', async () => {
    const { app } = house.control()
    const post = async (url: string, payload: object): Promise<[number, unknown]> => {
      const answer = await app.inject({ method: 'POST', url, payload, headers: { host: 'localhost' } })
      return [answer.statusCode, (JSON.parse(answer.body) as { field?: string }).field]
    }
    expect(await post('/api/photon/channels', { partner: '0x12', amount: '1' })).toEqual([400, 'partner'])
    expect(await post('/api/photon/channels', { partner: NEIGHBOUR, amount: '1', settleTimeoutBlocks: 5 })).toEqual([400, 'settleTimeoutBlocks'])
    expect(await post('/api/photon/channels', { partner: NEIGHBOUR, amount: 1 })).toEqual([400, 'amount'])
    expect(await post(`/api/photon/channels/${third}/close`, { force: 'yes' })).toEqual([400, 'force'])
    expect(await post('/api/photon/channels/7/deposit', { amount: '1' })).toEqual([400, 'id'])
    expect(await post('/api/photon/wrap', { amount: -1 })).toEqual([400, 'amount'])
    expect(await post('/api/photon/alarms/a%20b/clear', {})).toEqual([400, 'id'])
    expect(await post('/api/photon/alarms/7/clear', {})).toEqual([404, 'id'])
    expect(await post('/api/photon/peers', { account: GUEST, address: '192.0.2.7' })).toEqual([400, 'address'])
    expect(await post(`/api/photon/payments/${done}/cancel`, {})).toEqual([409, undefined])
  })
})
