/** `meshbox channel list` */
import { numberOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { channelsText } from './channel-text.ts'

export const channelList: CommandSpec = {
  words: ['channel', 'list'],
  isDefault: true,
  summary: 'payment channels, and what lies on both sides',
  details: `MINE and THEIRS can be paid now; LOCKED is promised on my side and on theirs and not
decided yet; HERE says whether the partner is connected. What wants looking at comes
first.`,
  options: [{ name: 'limit', value: 'N', help: '1 to 1000, default 200' }],
  run: async (context) => {
    const limit = numberOption(context, 'limit', 1, 1000)
    const list = await context.service.call('photonChannels', { query: limit === undefined ? {} : { limit } })
    return { json: list, text: channelsText(list) }
  },
}
