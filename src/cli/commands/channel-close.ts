/** `meshbox channel close CHANNEL` */
import { hasFlag } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { channelArgument, channelText } from './channel-text.ts'

export const channelClose: CommandSpec = {
  words: ['channel', 'close'],
  summary: 'end a channel: both sides get what is theirs',
  details: `The partner has to agree and be connected; the money then comes with one transaction.
With --force it is not asked: the money comes after the settle timeout, which begins
when the close is in the chain, and until then none of it can be used.`,
  arguments: [{ name: 'CHANNEL' }],
  options: [{ name: 'force', help: 'without the partner' }],
  run: async (context) => {
    const channel = await context.service.call('closeChannel', { params: { id: await channelArgument(context, 0) }, body: { force: hasFlag(context, 'force') } })
    return { json: channel, text: channelText(channel) }
  },
}
