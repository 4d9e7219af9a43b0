/** `meshbox channel duties` */
import type { CommandSpec } from '../command.ts'
import { dutiesText } from './channel-text.ts'

export const channelDuties: CommandSpec = {
  words: ['channel', 'duties'],
  summary: 'transactions on their way into the chain, and their deadlines',
  run: async ({ service }) => {
    const duties = await service.call('photonDuties', {})
    return { json: duties, text: dutiesText(duties) }
  },
}
