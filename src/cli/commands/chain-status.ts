/** `meshbox chain status` */
import type { CommandSpec } from '../command.ts'
import { chainStatusText } from './chain-text.ts'

export const chainStatus: CommandSpec = {
  words: ['chain', 'status'],
  isDefault: true,
  summary: "where the chain stands, whose turn it is",
  run: async ({ service }) => {
    const view = await service.call('chain', {})
    return { json: view, text: chainStatusText(view), exitCode: view.alarm === null ? 0 : 1 }
  },
}
