/** `meshbox channel alarm` and `meshbox channel alarm clear ID` */
import { argument, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'
import { alarmsText } from './channel-text.ts'

export const channelAlarm: CommandSpec = {
  words: ['channel', 'alarm'],
  summary: 'what has to be looked at, and what clearing it means',
  details: 'Exit code 1 while there is an alarm.',
  run: async ({ service }) => {
    const { alarms } = await service.call('photon', {})
    return { json: { alarms }, text: alarmsText(alarms), exitCode: alarms.length === 0 ? EXIT_OK : EXIT_FAILED }
  },
}

export const channelAlarmClear: CommandSpec = {
  words: ['channel', 'alarm', 'clear'],
  summary: 'you have looked: an alarm is taken away',
  details: `ID is what meshbox channel alarm shows. After chain-gap or chain-lost every channel is
first read anew from the contract, by proof: only what that says counts from then on,
and what does not fit it is closed. While that cannot be proved the alarm stays.
An alarm that goes by itself when its reason goes cannot be cleared.`,
  arguments: [{ name: 'ID' }],
  run: async (context) => {
    const id = argument(context, 0)
    if (!/^[A-Za-z0-9._:-]{1,64}$/.test(id)) throw usageError(`ID: '${id}' is not what meshbox channel alarm shows`)
    const { alarms } = await context.busy('looking', context.service.call('clearPhotonAlarm', { params: { id } }))
    return { json: { alarms }, text: alarmsText(alarms) }
  },
}
