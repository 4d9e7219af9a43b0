/** `meshbox mesh ban BOX` and `meshbox mesh unban BOX` */
import { argument, textOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { boxArgument, meshPeersText } from './mesh-text.ts'

export const meshBan: CommandSpec = {
  words: ['mesh', 'ban'],
  summary: 'this box alone speaks with a box no more',
  details: `Whatever the community says of it, until it is taken back. What one of them owes the other
stays in the books. To show a box out of the whole community: meshbox mesh expel.`,
  arguments: [{ name: 'BOX' }],
  options: [{ name: 'reason', value: 'TEXT', help: 'for later; shown by meshbox mesh peers' }],
  run: async (context) => {
    const reason = textOption(context, 'reason')
    const peers = await context.service.call('meshBan', { params: { id: boxArgument(argument(context, 0)) }, body: reason === undefined ? {} : { reason } })
    return { json: peers, text: meshPeersText(peers) }
  },
}

export const meshUnban: CommandSpec = {
  words: ['mesh', 'unban'],
  summary: "forget the ban of a box, this owner's or the service's",
  arguments: [{ name: 'BOX' }],
  run: async (context) => {
    const peers = await context.service.call('meshUnban', { params: { id: boxArgument(argument(context, 0)) } })
    return { json: peers, text: meshPeersText(peers) }
  },
}
