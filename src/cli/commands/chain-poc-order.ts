/** `meshbox chain poc deposit`, `start`, `stop`, `withdraw`: what the owner wants of the miner's deposit. */
import type { ChainPocOrder } from '../../owner/api/index.ts'
import type { CommandSpec } from '../command.ts'
import { chainPocText } from './chain-poc-text.ts'

const PAYS = "The box signs the calls itself and pays for them from its own address, which has\nto be the coinbase."

export const chainPocDeposit = orderSpec('deposit', 'put down the least deposit, and take part in sealing', `${PAYS} After a missed slot it starts again by itself. Leaders need\nno deposit.`)
export const chainPocStart = orderSpec('start', 'take part again after a stop', `${PAYS} After a missed slot not before the epoch ends.`)
export const chainPocStop = orderSpec('stop', 'take part no more; the deposit stays', PAYS)
export const chainPocWithdraw = orderSpec('withdraw', 'stop, wait, and take the deposit back', `${PAYS} The chain says how long the wait is.`)

function orderSpec(order: ChainPocOrder, summary: string, details: string): CommandSpec {
  return {
    words: ['chain', 'poc', order],
    summary,
    details,
    run: async ({ service }) => {
      const poc = await service.call('orderPoc', { body: { order } })
      return { json: poc, text: chainPocText(poc) }
    },
  }
}
