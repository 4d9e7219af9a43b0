/** `meshbox mesh carriage end BOX`, `… readmit BOX`, `… write-off BOX` */
import { argument, textOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { boxArgument, meshPricesText } from './mesh-text.ts'

export const meshCarriageEnd: CommandSpec = {
  words: ['mesh', 'carriage', 'end'],
  summary: 'this box and that one carry nothing for each other',
  details: `For ten minutes, or until it is readmitted: then the two may begin anew. What is owed stays
owed, and is paid. To keep a box away for good: meshbox mesh ban.`,
  arguments: [{ name: 'BOX' }],
  options: [{ name: 'reason', value: 'TEXT', help: 'told to the other box' }],
  run: async (context) => {
    const reason = textOption(context, 'reason')
    const prices = await context.service.call('meshCarriageEnd', { params: { id: boxArgument(argument(context, 0)) }, body: reason === undefined ? {} : { reason } })
    return { json: prices, text: meshPricesText(prices) }
  },
}

export const meshCarriageReadmit: CommandSpec = {
  words: ['mesh', 'carriage', 'readmit'],
  summary: 'what ended with a box may begin anew at once',
  details: 'Where figures differed too far or the owner ended it, the two boxes else wait ten minutes.',
  arguments: [{ name: 'BOX' }],
  run: async (context) => {
    const prices = await context.service.call('meshCarriageReadmit', { params: { id: boxArgument(argument(context, 0)) } })
    return { json: prices, text: meshPricesText(prices) }
  },
}

export const meshCarriageWriteOff: CommandSpec = {
  words: ['mesh', 'carriage', 'write-off'],
  summary: 'what a box owes for carrying that ended, or its guests, is asked for no more',
  details: `For good. A box that owes more than is paid at once is not carried for anew, and its guests
are not let in; after this they may be. If it pays all the same, that is taken.`,
  arguments: [{ name: 'BOX' }],
  run: async (context) => {
    const prices = await context.service.call('meshCarriageWriteOff', { params: { id: boxArgument(argument(context, 0)) } })
    return { json: prices, text: meshPricesText(prices) }
  },
}
