/** `meshbox channel show CHANNEL` */
import type { CommandSpec } from '../command.ts'
import { channelArgument, channelText } from './channel-text.ts'

export const channelShow: CommandSpec = {
  words: ['channel', 'show'],
  summary: 'one channel',
  details: 'CHANNEL is its id, or as much of its beginning as only one channel has.',
  arguments: [{ name: 'CHANNEL' }],
  run: async (context) => {
    const channel = await context.service.call('photonChannel', { params: { id: await channelArgument(context, 0) } })
    return { json: channel, text: channelText(channel) }
  },
}
