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
  const api = deskApi({ desk: box.desk, programs: box.photon.programs, build: { version: '', commit: '', built: '' }, revealTimeout: 4, randomness: seededRandom(5), timers: systemTimers })
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

  // A secret that the payer chose: nothing moves before he lets it go.
  const secret = `0x${'5e'.repeat(32)}`
  const given = await alice.ask('POST', `transfers/${street.token}/${BOB.address}`, { amount: 10, secret })
  const chosen = `0x${createHash('sha256').update(Buffer.from(secret.slice(2), 'hex')).digest('hex')}`
  expect(given).toMatchObject({ error_code: 0, data: { lockSecretHash: chosen } })
  await street.settled(() => bob.verbs.channel(channel).partner.locked.text === '0.1')
  expect(await alice.ask('GET', `transferstatus/${street.token}/${chosen}`)).toMatchObject({ data: { status: 1 } })
  expect(await alice.ask('POST', 'transfers/allowrevealsecret', { lock_secret_hash: chosen, token_address: street.token })).toMatchObject({ error_code: 0 })
  await street.until(() => alice.verbs.payment(chosen).state === 'done' && bob.verbs.channel(channel).own.spendable.text === '0.4')
  // One that the receiver was told in another way.
  const told = `0x${'7a'.repeat(32)}`
  const toldHash = `0x${createHash('sha256').update(Buffer.from(told.slice(2), 'hex')).digest('hex')}`
  await alice.verbs.pay({ target: BOB.address, amount: '0.1', secretHash: toldHash })
  await street.settled(() => bob.verbs.channel(channel).partner.locked.text === '0.1')
  expect(await bob.ask('POST', 'registersecret', { secret: `0x${'11'.repeat(32)}`, token_address: street.token })).toMatchObject({ error_code: 1001 })
  expect(await bob.ask('POST', 'registersecret', { secret: told, token_address: street.token })).toMatchObject({ error_code: 0 })
  await street.until(() => alice.verbs.payment(toldHash).state === 'done' && bob.verbs.channel(channel).own.spendable.text === '0.5')
  for (const [order, code] of [[{ amount: 1, is_direct: true, secret }, 1], [{ amount: 1, secret: '0x12' }, 1]] as const) expect(await alice.ask('POST', `transfers/${street.token}/${BOB.address}`, order)).toMatchObject({ error_code: code })
  expect(await alice.ask('PUT', `token_swaps/${BOB.address}/${chosen}`, { role: 'maker', secret: told, sending_amount: 1, sending_token: street.token, receiving_amount: 1, receiving_token: BOB.address })).toMatchObject({ error_code: 1 })
  expect((await bob.ask('POST', `transfers/${street.token}/${ALICE.address}`, { amount: 20, is_direct: true })).error_code).toBe(0)
  await street.settled(() => alice.verbs.channel(channel).own.spendable.text === '2.7')

  await expect(alice.verbs.withdraw(channel, { amount: '2.71' })).rejects.toMatchObject({ field: 'amount', allowed: expect.stringContaining('at most 2.7 TOK') as string })
  await street.settled(() => alice.verbs.channel(channel).actions.includes('withdraw') && alice.verbs.channel(channel).isConnected)
  await alice.verbs.withdraw(channel, { amount: '1' })
  await street.until(() => alice.verbs.channel(channel).own.spendable.text === '1.7' && bob.verbs.channel(channel).partner.spendable.text === '1.7' && alice.verbs.duties().duties.length === 0)

  await bob.verbs.close(channel, {})
  await street.until(() => [alice, bob].every(({ verbs }) => verbs.channels().total === 0 && verbs.duties().duties.length === 0))
  expect([await street.balance(ALICE.address), await street.balance(BOB.address)]).toEqual([970n, 1030n])
  expect(await alice.ask('GET', `channels/${channel}`)).toMatchObject({ error_code: 3002 })

  // Another life of it, ended by force: what its owner orders is no alarm, on neither side.
  await alice.verbs.open({ partner: BOB.address, amount: '1' })
  await street.until(() => alice.verbs.channels().channels[0]?.actions.includes('close') === true && bob.verbs.channels().channels[0]?.isConnected === true)
  expect(await alice.verbs.close(channel, { force: true })).toMatchObject({ phase: 'closing', alarm: null, actions: [] })
  await street.until(() => [alice, bob].every(({ verbs }) => verbs.channels().channels[0]?.phase === 'closed'))
  expect([alice, bob].map(({ verbs }) => verbs.channel(channel).alarm)).toEqual([null, null])
  await street.until(() => [alice, bob].every(({ verbs }) => verbs.channels().total === 0 && verbs.duties().duties.length === 0))
  expect(await street.balance(ALICE.address)).toBe(970n)
  expect([alice.verbs.status().alarms, bob.verbs.status().alarms, faults]).toEqual([[], [], []])
  await Promise.all([first.stop(), second.stop()])
})
