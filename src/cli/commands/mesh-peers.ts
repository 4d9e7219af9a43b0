/** `meshbox mesh peers` */
import type { CommandSpec } from '../command.ts'
import { meshPeersText } from './mesh-text.ts'

export const meshPeers: CommandSpec = {
  words: ['mesh', 'peers'],
  summary: 'other boxes: who is connected, and who is a member',
  run: async ({ service }) => {
    const peers = await service.call('meshPeers', {})
    return { json: peers, text: meshPeersText(peers) }
  },
}
