/** `meshbox channel list` */
import type { CommandSpec } from '../command.ts'
import { channelsText } from './channel-text.ts'

export const channelList: CommandSpec = {
  words: ['channel', 'list'],
  isDefault: true,
  summary: 'payment channels, and what lies on both sides',
  details: `MINE and THEIRS can be paid now; LOCKED is promised on my side and on theirs and not
decided yet; HERE says whether the partner is connected.`,
  run: async ({ service }) => {
    const list = await service.call('photonChannels', {})
    return { json: list, text: channelsText(list) }
  },
}
