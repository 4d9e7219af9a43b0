/** `meshbox chain alarm clear` */
import type { CommandSpec } from '../command.ts'
import { chainStatusText } from './chain-text.ts'

export const chainAlarmClear: CommandSpec = {
  words: ['chain', 'alarm', 'clear'],
  summary: 'you have looked: money rests on the chain again',
  run: async ({ service }) => {
    const view = await service.call('clearChainAlarm', {})
    return { json: view, text: chainStatusText(view) }
  },
}
