/** `meshbox mesh status` */
import type { CommandSpec } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'
import { meshStatusText } from './mesh-text.ts'

export const meshStatus: CommandSpec = {
  words: ['mesh', 'status'],
  isDefault: true,
  summary: 'state of the mesh: boxes, way out, price, alarms',
  details: 'Exit code 1 while there is an alarm.',
  run: async ({ service }) => {
    const status = await service.call('mesh', {})
    return { json: status, text: meshStatusText(status), exitCode: status.alarms.length === 0 ? EXIT_OK : EXIT_FAILED }
  },
}
