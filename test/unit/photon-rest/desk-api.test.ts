/** The original's REST over the owner's desk: every answer, what cannot be answered, payments that are waited for. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cancel, Timers } from '../../../src/base/index.ts'
import { createRest, deskApi } from '../../../src/photon/rest/index.ts'
import type { ChannelView as DeskChannel, PaymentRow, PhotonDesk } from '../../../src/photon/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { WAITING, scriptedPrograms } from '../../support/photon-programs.ts'
import { CHANNELS, GUEST, MINUTE, NEIGHBOUR, SELF, hash, scriptedPhoton } from '../../support/photon-views.ts'
import { ROUTES } from '../../../src/photon/rest/rest.ts'

const faults: unknown[] = []

/** Timers that a test lets run. */
function handTimers(): Timers & { fire(): void } {
  const due = new Set<() => void>()
  const after = (_delayMs: number, run: () => void): Cancel => {
    due.add(run)
    return () => void due.delete(run)
  }
  return { after, every: after, fire: () => [...due].forEach((run) => run()) }
}

function restOver(desk: PhotonDesk, programs = scriptedPrograms(), timers: Timers = handTimers()) {
  const rest = createRest(deskApi({ desk, programs, build: { version: '1.2.3', commit: 'c', built: 'b' }, revealTimeout: 30, randomness: seededRandom(7), timers }), (fault) => faults.push(fault))
  return async (method: string, path: string, body: object | string = ''): Promise<{ code: number; data: unknown; message: string; text: string }> => {
    const [bare = '', query = ''] = path.split('?')
    const answer = await rest.answer({ method, path: `/api/1/${bare}`, query: new Map(new URLSearchParams(query)), body: typeof body === 'string' ? body : JSON.stringify(body) })
    const { error_code: code, error_message: message, data } = JSON.parse(answer.body) as { error_code: number; error_message: string; data: unknown }
    return { code, data, message, text: `${answer.status} ${answer.body}` }
  }
}

const [OPEN, LEAF, CLOSED] = [hash(1), hash(2), hash(3)]
const CALLS: readonly (readonly [string, string, object?])[] = [
  ['GET', 'address'], ['GET', 'version'], ['GET', 'balance'], ['GET', `balance/${MINUTE}`], ['GET', 'tokens'], ['GET', `tokens/${MINUTE}/partners`], ['GET', 'channels'], ['GET', `channels/${OPEN}`], ['GET', `channels/${hash(77)}`],
  ['PUT', 'deposit', { partner_address: GUEST, token_address: NEIGHBOUR, balance: 5, settle_timeout: 600, new_channel: true }],
  ['PUT', 'deposit', { partner_address: NEIGHBOUR, token_address: MINUTE, balance: 5, settle_timeout: 600, new_channel: true }],
  ['PUT', 'deposit', { partner_address: NEIGHBOUR, token_address: MINUTE, balance: 5, settle_timeout: 0, new_channel: false }],
  ['PUT', 'deposit', { partner_address: SELF, token_address: MINUTE, balance: 5, settle_timeout: 0, new_channel: false }],
  ['PATCH', `channels/${LEAF}`, { state: 'closed' }], ['PATCH', `channels/${OPEN}`, { state: 'closed', force: true }], ['PATCH', `channels/${OPEN}`, { state: 'settled' }], ['PATCH', `channels/${CLOSED}`, { state: 'settled' }],
  ['PUT', `withdraw/${hash(5)}`, { amount: 3 }], ['PUT', `withdraw/${OPEN}`, { op: 'preparewithdraw' }], ['PUT', `withdraw/${OPEN}`, { op: 'cancelprepare' }], ['PUT', `settle/${OPEN}`], ['GET', `thirdparty/${OPEN}/${NEIGHBOUR}`],
  ['POST', `transfers/${MINUTE}/${GUEST}`, { amount: 7, is_direct: true, sync: true, data: 'tea' }],
  ['POST', `transfers/${MINUTE}/${GUEST}`, { amount: 7, secret: hash(1) }],
  ['POST', `transfers/${MINUTE}/${GUEST}`, { amount: 7, route_info: [{ path_id: 0, path_hop: 2, fee: 3, result: [NEIGHBOUR, GUEST] }] }],
  ['GET', `transferstatus/${MINUTE}/${hash(604)}`], ['GET', `transferstatus/${MINUTE}/${hash(105)}`], ['GET', `transferstatus/${MINUTE}/${hash(77)}`], ['GET', `transferstatus/${NEIGHBOUR}/${hash(105)}`],
  ['POST', `transfercancel/${MINUTE}/${hash(601)}`], ['POST', `transfercancel/${MINUTE}/${hash(104)}`], ['POST', `transfercancel/${MINUTE}/${hash(77)}`],
  ['POST', 'transfers/allowrevealsecret', { lock_secret_hash: hash(607), token_address: MINUTE }], ['POST', 'registersecret', { secret: hash(1), token_address: MINUTE }], ['GET', `getunfinishedreceivedtransfer/${MINUTE}/${hash(1)}`], ['GET', `getunfinishedreceivedtransfer/${MINUTE}/${WAITING}`],
  ['GET', 'querysenttransfer'], ['GET', 'querysenttransfer?from_block=-1&to_block=-1'], ['GET', 'querysenttransfer?from_block=5'], ['GET', 'queryreceivedtransfer?from_block=0'], ['GET', 'queryreceivedtransfer?to_block=9'], ['GET', 'queryreceivedtransfer?from_block=48000&to_block=48200'], ['GET', 'querysenttransfer?from_block=48150'], ['GET', 'secret'],
  ['PUT', `token_swaps/${GUEST}/${hash(1)}`, { role: 'taker', sending_amount: 1, sending_token: MINUTE, receiving_amount: 1, receiving_token: NEIGHBOUR }], ['GET', `path/${GUEST}/${MINUTE}/1000`],
  ['GET', 'fee_policy'], ['POST', 'fee_policy', { account_fee: { fee_constant: 1, fee_percent: 1000 }, channel_fee_map: { [OPEN]: { fee_constant: 3, fee_percent: 0 } } }], ['POST', 'fee_policy', { token_fee_map: {} }], ['GET', 'fee'], ['POST', 'income/details', {}], ['POST', 'income/details', { limit: 1 }], ['POST', 'income/days', { days: 3 }], ['POST', 'tx/query', {}],
  ['POST', 'tx/query', { tx_type: 'ChannelDeposit,ApproveDeposit', tx_status: 'success' }], ['POST', 'tx/query', { channel_identifier: OPEN, tx_status: '' }], ['POST', 'tx/query', { channel_identifier: `0x${'00'.repeat(32)}`, open_block_number: 2, tx_status: 'pending,success' }], ['POST', 'tx/query', { tx_type: 'ChannelSettle' }], ['GET', 'switch/true'], ['GET', 'switch/false'], ['POST', 'updatenodes', [{ address: GUEST, ip_port: '/ip4/192.0.2.1/tcp/1', device_type: 'mobile' }]],
  ['POST', 'updatenodes', [{ address: GUEST, ip_port: '192.0.2.1:40001', device_type: 'mobile' }]], ['GET', `node-status/${NEIGHBOUR}`], ['GET', `node-status/${GUEST}`], ['GET', `node-status/${MINUTE}`], ['POST', `transfer-smt/${GUEST}/5`],
  ['POST', 'prepare-update'], ['GET', 'stop'], ['GET', 'debug/system-status'], ['GET', 'debug/ethstatus'], ['GET', `debug/balance/${MINUTE}/${GUEST}`], ['GET', `debug/ethbalance/${SELF}`], ['GET', `debug/ethbalance/${GUEST}`],
]

it('tells the LAN where its nodes are, and dials the others', async () => {
  const told: unknown[] = []
  const photon = scriptedPhoton()
  const api = deskApi({ desk: photon.desk, programs: scriptedPrograms(), build: { version: '', commit: '', built: '' }, revealTimeout: 30, randomness: seededRandom(7), timers: handTimers(), updateNodes: (nodes) => void told.push(...nodes) })
  await api.setPeers([{ account: GUEST, endpoint: '192.0.2.1:40001', deviceType: 'mobile' }, { account: NEIGHBOUR, endpoint: '/ip4/192.0.2.2/tcp/1', deviceType: 'meshbox' }])
  expect(told).toEqual([{ account: GUEST, endpoint: '192.0.2.1:40001', deviceType: 'mobile' }])
  expect(photon.asked).toEqual([`add-peer ${NEIGHBOUR} /ip4/192.0.2.2/tcp/1`])
})

describe('every path over the desk', () => {
  it('answers as it did', async () => {
    const photon = scriptedPhoton()
    const programs = scriptedPrograms(photon.asked)
    const ask = restOver(photon.desk, programs)
    let all = ''
    for (const [method, path, body] of CALLS) all += `${method} ${path}${body === undefined ? '' : ` ${JSON.stringify(body)}`}\n${(await ask(method, path, body)).text}\n\n`
    all += `asked of the desk:\n${photon.asked.join('\n')}\n`
    await expect(all).toMatchFileSnapshot('golden/desk-api.txt')
    expect(faults).toEqual([])
  })

  it('is among the calls above', () => {
    const isCalled = (method: string, path: string): boolean => CALLS.some(([one, called]) => one === method && new RegExp(`^${path.replace(/:[a-zA-Z]+/g, '[^/?]+')}(\\?|$)`).test(called))
    expect(ROUTES.filter((route) => !isCalled(route.method, route.path)).map((route) => route.path)).toEqual([])
  })

})

describe('damaged requests', () => {
  it('are refused with a number, never a fault of ours', async () => {
    const ask = restOver(scriptedPhoton().desk)
    const body = fc.oneof(fc.json({ maxDepth: 2 }), fc.string({ maxLength: 20 }), fc.constantFrom('{"amount":1}', '{"state":"settled"}', '{"new_channel":true}', '{"limit":-7,"days":1e9}', '[{"address":"0x"}]'))
    const query = fc.constantFrom('', '?from_block=0&to_block=-1', '?from_block=9e9', '?token_address=0x12', '?to_block=')
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...CALLS), body, query, async ([method, path], text, asked) => {
        const { text: answer } = await ask(method, `${path.split('?')[0] ?? ''}${asked}`, text)
        expect(answer).toMatch(/^200 /)
      }),
      { numRuns: 400, seed: 21 },
    )
    expect(faults).toEqual([])
  })
})

describe('settling', () => {
  const closed = CHANNELS[2] as DeskChannel
  it('is the box’s own duty: the order is kept when it is due, refused before', async () => {
    expect(await restOver(scriptedPhoton().desk)('PATCH', `channels/${CLOSED}`, { state: 'settled' })).toMatchObject({ code: 5002 })
    const due = restOver(scriptedPhoton({ channel: () => ({ ...closed, restState: 5 }) }).desk)
    expect(await due('PATCH', `channels/${CLOSED}`, { state: 'settled' })).toMatchObject({ code: 0, data: { state: 5 } })
    expect(await restOver(scriptedPhoton().desk)('PATCH', `channels/${OPEN}`, { state: 'settled' })).toMatchObject({ code: 5001 })
  })
})

describe('a payment that the client waits for', () => {
  const sync = { amount: 7, sync: true }
  /** A payment whose end a test makes. */
  function slow(): { desk: PhotonDesk; end(part: Partial<PaymentRow>): void; timers: ReturnType<typeof handTimers>; listeners: Set<() => void> } {
    const { desk } = scriptedPhoton()
    const listeners = new Set<() => void>()
    let row = { ...(desk.payment(hash(101)) as PaymentRow), status: 1 }
    return {
      listeners,
      timers: handTimers(),
      desk: { ...desk, pay: async () => ({ id: row.id }), payment: (id) => (id === row.id ? row : null), onChange: (listener) => (listeners.add(listener), () => void listeners.delete(listener)) },
      end(part) {
        row = { ...row, ...part }
        for (const listener of [...listeners]) listener()
      },
    }
  }
  const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  it.each([
    ['done', { status: 3 }, 0, 'SUCCESS'],
    ['failed, with the reason', { status: 5, reason: 'no path' }, 3003, 'no path'],
    ['called back', { status: 4, reason: null }, 3003, 'the transfer failed'],
  ])('is told that it is %s', async (_what, part, code, message) => {
    const one = slow()
    const answer = restOver(one.desk, scriptedPrograms(), one.timers)('POST', `transfers/${MINUTE}/${GUEST}`, sync)
    await settled()
    one.end({ status: 2 })
    expect(one.listeners.size).toBe(1)
    one.end(part)
    expect(await answer).toMatchObject({ code, message })
    expect(one.listeners.size).toBe(0)
  })

  it('is told after a minute that it is still under way', async () => {
    const one = slow()
    const answer = restOver(one.desk, scriptedPrograms(), one.timers)('POST', `transfers/${MINUTE}/${GUEST}`, sync)
    await settled()
    one.timers.fire()
    expect(await answer).toMatchObject({ code: 1020 })
    expect(one.listeners.size).toBe(0)
  })

  it('is no fault of ours when the desk refuses', async () => {
    const { desk } = scriptedPhoton()
    const { photonError } = await import('../../../src/photon/rest/index.ts')
    const ask = restOver({ ...desk, pay: async () => Promise.reject(photonError(1002, 'not enough')) })
    expect(await ask('POST', `transfers/${MINUTE}/${GUEST}`, sync)).toMatchObject({ code: 1002, message: 'not enough' })
    expect(faults).toEqual([])
  })
})
