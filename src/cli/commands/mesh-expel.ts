/** `meshbox mesh expel BOX` and `meshbox mesh pardon BOX` */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { wrap } from '../text.ts'
import { boxArgument, meshPeersText } from './mesh-text.ts'

export const meshExpel: CommandSpec = {
  words: ['mesh', 'expel'],
  summary: 'a box is no member any more, and nobody speaks with it',
  details: `Only on the community's own box. All boxes hear of it, each from the next. What it owes
stays in the books. It still knows the password of the mesh.`,
  arguments: [{ name: 'BOX' }],
  run: async (context) => {
    const peers = await context.service.call('meshExpel', { params: { id: boxArgument(argument(context, 0)) } })
    return { json: peers, text: `${meshPeersText(peers)}\n\n${wrap('It still knows the password of the mesh: give the mesh another, and the members new codes, if that matters.')}` }
  },
}

export const meshPardon: CommandSpec = {
  words: ['mesh', 'pardon'],
  summary: 'an expelled box may come again',
  arguments: [{ name: 'BOX' }],
  run: async (context) => {
    const peers = await context.service.call('meshPardon', { params: { id: boxArgument(argument(context, 0)) } })
    return { json: peers, text: meshPeersText(peers) }
  },
}
