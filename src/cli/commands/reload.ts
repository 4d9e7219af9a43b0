/** `meshbox reload` */
import type { CommandSpec } from '../command.ts'
import { reloadText } from './reload-text.ts'

export const reload: CommandSpec = {
  words: ['reload'],
  summary: 'read the configuration again, as SIGHUP does',
  details: 'A configuration that is not valid changes nothing and is reported line by line.',
  run: async (context) => {
    const report = await context.service.call('reload', {})
    return { json: report, text: reloadText(report) }
  },
}
