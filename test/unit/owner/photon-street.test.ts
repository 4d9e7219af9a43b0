/** The owner's door and the original's REST over two real boxes with channels on a chain that is run. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { systemTimers } from '../../../src/base/io/system.ts'
import { PhotonVerbs } from '../../../src/owner/photon.ts'
import { createRest, deskApi } from '../../../src/photon/rest/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { Street } from '../photon-box/street.ts'
import type { Box } from '../photon-box/street.ts'
import { person } from '../spectrum/village.ts'

const [ALICE, BOB, MAKER] = [person(810), person(811), person(812)]
const folder = mkdtempSync(join(tmpdir(), 'photon-owner-'))
afterAll(() => rmSync(folder, { recursive: true }))
const faults: unknown[] = []

function doorsOf(box: Box, token: Street['token']) {
  const verbs = new PhotonVerbs({ desk: box.desk, tokens: () => [{ address: token, symbol: 'TOK', decimals: 2 }] })
  const api = deskApi({ desk: box.desk, build: { version: '', commit: '', built: '' }, revealTimeout: 4, feePolicy: () => null, randomness: seededRandom(5), timers: systemTimers })
  const rest = createRest(api, (fault) => faults.push(fault))
  const ask = async (method: string, path: string, body: object | null = null): Promise<{ error_code: number; data: unknown }> => {
    const { body: text } = await rest.answer({ method, path: `/api/2/${path}`, query: new Map(), body: body === null ? '' : JSON.stringify(body) })
    return JSON.parse(text) as { error_code: number; data: unknown }
  }
  return { verbs, ask }
}

it('opens, pays both ways, holds, calls back, takes out and ends, as the owner and as a program', async () => {
  const street = await Street.build(folder, [ALICE, BOB], MAKER)
  const named = { tokens: [{ address: street.token, symbol: 'TOK', decimals: 2 }] }
  const [first, second] = [await street.box(ALICE, { ...named, peers: [street.peerOf(BOB)] }), await street.box(BOB, named)]
  const [alice, bob] = [doorsOf(first, street.token), doorsOf(second, street.token)]
  expect(alice.verbs.status()).toMatchObject({ state: 'starting', account: ALICE.address, tokens: [{ symbol: 'TOK', decimals: 2 }] })
  await expect(alice.verbs.pay({ target: BOB.address, amount: '1' })).rejects.toMatchObject({ code: 'photon-starting' })
  await street.until(() => [alice, bob].every(({ verbs }) => verbs.status().state === 'ready'))

  const { channel } = await alice.verbs.open({ partner: BOB.address, amount: '3' })
  expect(alice.verbs.duties().duties).toMatchObject([{ kind: 'open', channel }])
  await street.until(() => bob.verbs.channels().channels.some((one) => one.isConnected) && alice.verbs.channel(channel).own.deposit.text === '3')
  expect(alice.verbs.channel(channel)).toMatchObject({ phase: 'opened', alarm: null, actions: ['pay', 'withdraw', 'deposit', 'close', 'force-close'] })
  expect(bob.verbs.channel(channel).actions).toEqual(['deposit', 'close', 'force-close'])

  const { id } = await alice.verbs.pay({ target: BOB.address, amount: '0.5', direct: true, data: 'tea' })
  await street.settled(() => bob.verbs.channel(channel).own.spendable.text === '0.5')
  expect(alice.verbs.payment(id)).toMatchObject({ direction: 'sent', kind: 'direct', state: 'done', peer: BOB.address, amount: { text: '0.5' } })
  expect(bob.verbs.payments().payments).toMatchObject([{ direction: 'received', amount: { units: '50' }, data: 'tea', peer: ALICE.address }])

  // Back, by the program at Bob's.
  const sent = await bob.ask('POST', `transfers/${street.token}/${ALICE.address}`, { amount: 20, is_direct: true })
  expect(sent).toMatchObject({ error_code: 0, data: { amount: '20' } })
  await street.settled(() => alice.verbs.channel(channel).own.spendable.text === '2.7')
  const { lockSecretHash } = sent.data as { lockSecretHash: string }
  expect(await bob.ask('GET', `transferstatus/${street.token}/${lockSecretHash}`)).toMatchObject({ data: { status: 3, amount: '20', is_direct: true } })
  expect(await alice.ask('GET', 'queryreceivedtransfer')).toMatchObject({ data: [{ amount: '20', channel_identifier: channel }] })
  expect(await alice.ask('GET', `channels/${channel}`)).toMatchObject({ data: { balance: '270', partner_balance: '30', state: 1, state_string: 'opened' } })
  expect(await alice.ask('GET', `path/${BOB.address}/${street.token}/10`)).toMatchObject({ data: [{ path_hop: 1, fee: '0' }] })

  // Held by a hash whose secret nobody here knows, and called back.
  const secretHash = `0x${createHash('sha256').update('nobody knows').digest('hex')}`
  const held = await alice.verbs.pay({ target: BOB.address, amount: '0.1', secretHash })
  expect(held.id).toBe(secretHash)
  await street.settled(() => bob.verbs.channel(channel).partner.locked.text === '0.1')
  expect(alice.verbs.payment(held.id)).toMatchObject({ state: 'cancellable', secretHash })
  await alice.verbs.cancel(held.id)
  await street.until(() => alice.verbs.payment(held.id).state === 'cancelled' && alice.verbs.channel(channel).own.locked.units === '0')
  await expect(alice.verbs.cancel(held.id)).rejects.toMatchObject({ kind: 'not-found' })

  await expect(alice.verbs.withdraw(channel, { amount: '2.71' })).rejects.toMatchObject({ field: 'amount', allowed: expect.stringContaining('at most 2.7 TOK') as string })
  await street.settled(() => alice.verbs.channel(channel).actions.includes('withdraw') && alice.verbs.channel(channel).isConnected)
  await alice.verbs.withdraw(channel, { amount: '1' })
  await street.until(() => alice.verbs.channel(channel).own.spendable.text === '1.7' && bob.verbs.channel(channel).partner.spendable.text === '1.7' && alice.verbs.duties().duties.length === 0)

  await bob.verbs.close(channel, {})
  await street.until(() => [alice, bob].every(({ verbs }) => verbs.channels().total === 0 && verbs.duties().duties.length === 0))
  expect([await street.balance(ALICE.address), await street.balance(BOB.address)]).toEqual([970n, 1030n])
  expect(await alice.ask('GET', `channels/${channel}`)).toMatchObject({ error_code: 3002 })
  expect([alice.verbs.status().alarms, bob.verbs.status().alarms, faults]).toEqual([[], [], []])
  await Promise.all([first.stop(), second.stop()])
})
