/** `meshbox channel status` */
import type { CommandSpec } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'
import { photonStatusText } from './channel-text.ts'

export const channelStatus: CommandSpec = {
  words: ['channel', 'status'],
  summary: 'state of all of them: account, gas, alarms, what they earned',
  details: 'Exit code 1 while there is an alarm.',
  run: async ({ service }) => {
    const status = await service.call('photon', {})
    return { json: status, text: photonStatusText(status), exitCode: status.alarms.length === 0 && status.state !== 'halted' ? EXIT_OK : EXIT_FAILED }
  },
}
