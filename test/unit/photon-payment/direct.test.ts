import { expect, test } from 'vitest'
import { STATUS } from '../../../src/photon/payment/index.ts'
import type { ChannelCommand } from '../../../src/photon/payment/index.ts'
import { Desk, channelName, kinds, nodeOf } from './desk.ts'

const B = nodeOf(2)
const order = { kind: 'pay-direct', channel: channelName(B), amount: 5n, paymentId: null, data: Uint8Array.of(7), reference: `0x${'55'.repeat(32)}` } as const

test('sent, then done when the partner has it', () => {
  const desk = new Desk([B])
  expect(kinds(desk.give(order))).toEqual(['send-direct'])
  expect(desk.only('direct').status).toBe(STATUS.cannotCancel)
  const { id } = desk.only('direct')
  expect(kinds(desk.give({ kind: 'direct-delivered', id }))).toEqual(['notice sent'])
  expect(desk.only('direct')).toMatchObject({ status: STATUS.success, isEnded: true })
  expect(desk.give({ kind: 'direct-lost', id })).toEqual([])
})

test('refused by the channel, or settled away before it came: failed', () => {
  for (const end of ['refused', 'lost'] as const) {
    const desk = new Desk([B])
    const [command] = desk.give(order)
    const { id } = desk.only('direct')
    desk.give(end === 'lost' ? { kind: 'direct-lost', id } : { kind: 'command-refused', command: command as ChannelCommand, code: 1002, reason: 'not enough' })
    expect(desk.only('direct')).toMatchObject({ status: STATUS.failed, isEnded: true })
  }
})

test('needs no chain', () => {
  const desk = new Desk([B])
  desk.moment = { block: 0, isFrozen: true }
  expect(kinds(desk.give(order))).toEqual(['send-direct'])
})

test('a channel that is not there', () => {
  expect(kinds(new Desk([]).give(order))).toEqual(['notice failed'])
})

test('received: recorded once per nonce', () => {
  const desk = new Desk([B])
  const input = { kind: 'direct-received', channel: channelName(B), nonce: 3n, amount: 9n, paymentId: null, data: Uint8Array.of(1) } as const
  expect(kinds(desk.give(input))).toEqual(['notice received'])
  expect(desk.only('direct')).toMatchObject({ direction: 'received', amount: 9n, status: STATUS.success })
})
