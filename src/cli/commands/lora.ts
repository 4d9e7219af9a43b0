/** `meshbox lora status | gateways | frames | downlinks`: what is in the air. */
import { numberOption } from '../command.ts'
import type { CommandSpec, OptionSpec } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'
import { table } from '../text.ts'
import { framesText, gatewaysText, iotStatusText } from './iot-text.ts'

const LIMIT: OptionSpec = { name: 'limit', value: 'COUNT', help: 'how many, 1 to 200 (default 50)' }

export const loraStatus: CommandSpec = {
  words: ['lora', 'status'],
  isDefault: true,
  summary: 'concentrators, devices, tenants, broker',
  details: 'Exit code 1 while the broker is not there.',
  run: async ({ service }) => {
    const status = await service.call('iot', {})
    return { json: status, text: iotStatusText(status), exitCode: status.broker.problem === null ? EXIT_OK : EXIT_FAILED }
  },
}

export const loraGateways: CommandSpec = {
  words: ['lora', 'gateways'],
  summary: 'concentrators, and what air they have left',
  run: async ({ service }) => {
    const reply = await service.call('iotGateways', {})
    return { json: reply, text: gatewaysText(reply.gateways) }
  },
}

export const loraFrames: CommandSpec = {
  words: ['lora', 'frames'],
  summary: 'the last frames, and what became of them',
  options: [LIMIT],
  run: async (context) => {
    const limit = numberOption(context, 'limit', 1, 200)
    const reply = await context.service.call('iotFrames', { query: limit === undefined ? {} : { limit } })
    return { json: reply, text: framesText(reply.frames) }
  },
}

export const loraDownlinks: CommandSpec = {
  words: ['lora', 'downlinks'],
  summary: 'the last orders to concentrators, and their end',
  options: [LIMIT],
  run: async (context) => {
    const limit = numberOption(context, 'limit', 1, 200)
    const reply = await context.service.call('iotDownlinks', { query: limit === undefined ? {} : { limit } })
    const rows = reply.downlinks.map(({ gateway, statuses, onAirMs, devEui, tenant }) => [gateway, statuses.join('/'), `${onAirMs} ms`, devEui ?? tenant ?? ''])
    return { json: reply, text: rows.length === 0 ? 'Nothing was sent since the service started.' : table([{ title: 'GATEWAY' }, { title: 'END' }, { title: 'ON AIR', align: 'right' }, { title: 'FOR', stretch: true }], rows) }
  },
}
