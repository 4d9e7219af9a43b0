/** `meshbox mesh path TO` */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { meshPathText } from './mesh-text.ts'

export const meshPath: CommandSpec = {
  words: ['mesh', 'path'],
  summary: 'through whom a node is reached, and the way out',
  details: 'TO is a name, a box (0x…) or a node (aa:bb:cc:dd:ee:ff).',
  arguments: [{ name: 'TO' }],
  run: async (context) => {
    const path = await context.service.call('meshPath', { query: { to: argument(context, 0) } })
    return { json: path, text: meshPathText(path) }
  },
}
