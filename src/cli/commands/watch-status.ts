/** `meshbox watch status` */
import type { CommandSpec } from '../command.ts'
import { watchText } from './pay-text.ts'

export const watchStatus: CommandSpec = {
  words: ['watch', 'status'],
  isDefault: true,
  summary: "who guards this box's channels, and whose it guards",
  details: 'A guard answers in the chain for a box that is off when its partner closes with an old state.',
  run: async ({ service }) => {
    const watching = await service.call('photonWatching', {})
    return { json: watching, text: watchText(watching) }
  },
}
