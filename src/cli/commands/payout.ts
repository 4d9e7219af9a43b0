/** `meshbox payout list | show | pay | resume | note | statement` */
import { setTimeout as pause } from 'node:timers/promises'
import type { PayoutJson } from '../../owner/api/index.ts'
import { argument, hasFlag, textOption } from '../command.ts'
import type { CommandSpec, Context, OptionSpec } from '../command.ts'
import { amountText } from './channel-text.ts'
import { OUTPUT_OPTION, deliver } from './output-file.ts'
import { partyText, payoutArgument, payoutText, payoutsText } from './payout-text.ts'

/** A payment to a neighbour is there at once. */
const LOOKS = 40
const LOOK_MS = 250
const TOKEN: OptionSpec = { name: 'token', value: 'SYMBOL', help: "(default: the box's token)" }

export const payoutList: CommandSpec = {
  words: ['payout', 'list'],
  isDefault: true,
  summary: 'who is owed what of the earnings, what was paid, rewards',
  run: async (context) => {
    const json = await context.service.call('payouts', { query: {} })
    return { json, text: payoutsText(json) }
  },
}

export const payoutShow: CommandSpec = {
  words: ['payout', 'show'],
  summary: 'one payout: how far it is, and why it waits',
  arguments: [{ name: 'ID' }],
  run: async (context) => {
    const json = await context.service.call('payout', { params: { id: payoutArgument(context) } })
    return { json, text: payoutText(json) }
  },
}

export const payoutPay: CommandSpec = {
  words: ['payout', 'pay'],
  summary: 'pay somebody what he is owed now',
  details: `ACCOUNT as meshbox payout list shows it, such as investor:anna. Pays whatever the
threshold and the hour of the day say. What cannot be paid now stays ordered and is
tried again by itself; given twice, it is paid once.`,
  arguments: [{ name: 'ACCOUNT' }],
  options: [TOKEN],
  run: async (context) => {
    const token = textOption(context, 'token')
    const ordered = await context.service.call('payPayout', { body: { account: argument(context, 0), ...(token === undefined ? {} : { token }) } })
    const json = await context.busy('paying', ended(context, ordered))
    return { json, text: payoutText(json) }
  },
}

export const payoutResume: CommandSpec = {
  words: ['payout', 'resume'],
  summary: 'try a payout again at once',
  details: `With --anew it is given up and made anew, with the address that the configuration
has now; only while its money has not left the box.`,
  arguments: [{ name: 'ID' }],
  options: [{ name: 'anew', help: 'give it up and make it anew' }],
  run: async (context) => {
    const resumed = await context.service.call('resumePayout', { params: { id: payoutArgument(context) }, body: { isAnew: hasFlag(context, 'anew') } })
    const json = await context.busy('paying', ended(context, resumed))
    return { json, text: payoutText(json) }
  },
}

export const payoutNote: CommandSpec = {
  words: ['payout', 'note'],
  summary: 'write down that somebody was paid in another way',
  details: `AMOUNT is in tokens, at most what he is owed. Booked against the till of vouchers;
it stands in his next statement.`,
  arguments: [{ name: 'ACCOUNT' }, { name: 'AMOUNT' }],
  options: [TOKEN, { name: 'memo', value: 'TEXT', help: 'how, for the book; one line' }],
  run: async (context) => {
    const [token, memo] = [textOption(context, 'token'), textOption(context, 'memo')]
    const json = await context.service.call('notePayout', {
      body: { account: argument(context, 0), amount: amountText(argument(context, 1), 'AMOUNT'), ...(token === undefined ? {} : { token }), ...(memo === undefined ? {} : { memo }) },
    })
    return { json, text: partyText(json) }
  },
}

export const payoutStatement: CommandSpec = {
  words: ['payout', 'statement'],
  summary: 'the signed statement of a payout, for who was paid',
  details: `Every posting that the payment is for, the payment's identifier, and the box's
signature. He checks it with meshbox payout verify, without this box.`,
  arguments: [{ name: 'ID' }],
  options: [{ name: 'series', help: 'with those before it, oldest first, at most 100' }, OUTPUT_OPTION],
  run: async (context) => deliver(context, 'statement', await context.service.call('payoutStatement', { params: { id: payoutArgument(context) }, query: hasFlag(context, 'series') ? { series: '1' } : {} })),
}

/** How it stands when it is over, waits, or looking is over. */
async function ended(context: Context, ordered: PayoutJson): Promise<PayoutJson> {
  let payout = ordered
  for (let look = 0; look < LOOKS && payout.state === 'open' && (payout.stage !== 'waiting' || payout.problem === null); look++) {
    await pause(LOOK_MS)
    payout = await context.service.call('payout', { params: { id: String(ordered.id) } })
  }
  return payout
}
