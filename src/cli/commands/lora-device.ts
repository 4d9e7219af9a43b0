/** `meshbox lora devices`, `lora device show | set | remove | forget-nonces`, `lora readings`, `lora send`, `lora queue`, `lora cancel` */
import type { IotDeviceJson, IotDeviceRequest } from '../../owner/api/index.ts'
import { argument, hasFlag, numberOption, textOption, usageError } from '../command.ts'
import type { CommandSpec, Context } from '../command.ts'
import { deviceText, devicesText, euiArgument, queueText, readingsText, wordArgument } from './iot-text.ts'
import { OUTPUT_OPTION, deliver } from './output-file.ts'

export const loraDevices: CommandSpec = {
  words: ['lora', 'devices'],
  summary: "the owner's devices",
  run: async ({ service }) => {
    const reply = await service.call('iotDevices', {})
    return { json: reply, text: devicesText(reply.devices) }
  },
}

export const loraDeviceShow: CommandSpec = {
  words: ['lora', 'device', 'show'],
  summary: 'one device with its last values',
  arguments: [{ name: 'DEVICE' }],
  details: 'DEVICE is a DevEUI or a name.',
  run: async (context) => {
    const device = await find(context)
    return { json: device, text: deviceText(device) }
  },
}

export const loraDeviceSet: CommandSpec = {
  words: ['lora', 'device', 'set'],
  summary: 'registers a device, or changes one',
  details: `What is left out stays as it is. A device that joins has an AppKey, in LoRaWAN 1.1 a NwkKey
too; one that was made with its session (ABP) has an address and two keys, in 1.1 four.
Keys go in and are never shown.`,
  arguments: [{ name: 'DEVEUI' }],
  options: [
    { name: 'name', value: 'NAME', help: 'what it is called' },
    { name: 'app-key', value: 'KEY', help: 'AppKey, 32 hex digits' },
    { name: 'nwk-key', value: 'KEY', help: 'NwkKey, of a device of 1.1' },
    { name: 'join-eui', value: 'EUI', help: 'JoinEUI (default all zero)' },
    { name: 'dev-addr', value: 'ADDR', help: 'of an ABP device, 8 hex digits' },
    { name: 'nwk-s-key', value: 'KEY', help: 'of an ABP device; 1.1: its FNwkSIntKey' },
    { name: 's-nwk-s-int-key', value: 'KEY', help: 'of an ABP device of 1.1' },
    { name: 'nwk-s-enc-key', value: 'KEY', help: 'of an ABP device of 1.1' },
    { name: 'app-s-key', value: 'KEY', help: 'of an ABP device' },
    { name: 'version', value: 'VERSION', help: '1.0.2, 1.0.3, 1.0.4 or 1.1' },
    { name: 'class', value: 'CLASS', help: 'A, or C: listens always' },
    { name: 'codec', value: 'NAME', help: "cayenne-lpp, one of the owner's, or none" },
    { name: 'interval', value: 'SECONDS', help: 'expected between two frames' },
    { name: 'counter-reset', value: 'YES', help: 'yes: it starts from 0; lets replays in' },
    { name: 'disable', help: 'its frames are refused' },
    { name: 'enable', help: 'they are taken again' },
  ],
  run: async (context) => {
    const devEui = euiArgument(argument(context, 0), 'DEVEUI')
    const { devices } = await context.service.call('iotDevices', {})
    const name = textOption(context, 'name') ?? devices.find((device) => device.devEui === devEui)?.name ?? devEui
    const device = await context.service.call('putIotDevice', { body: { devEui, name, ...changes(context) } })
    return { json: device, text: deviceText(device) }
  },
}

function changes(context: Context): Omit<IotDeviceRequest, 'devEui' | 'name'> {
  const option = (name: string): string | undefined => textOption(context, name)
  const [appKey, nwkKey, joinEui, codec, reset] = ['app-key', 'nwk-key', 'join-eui', 'codec', 'counter-reset'].map(option)
  const interval = numberOption(context, 'interval', 1, 31_536_000)
  const abp = abpOf(option)
  if (hasFlag(context, 'enable') && hasFlag(context, 'disable')) throw usageError('either --enable or --disable')
  const macVersion = oneOf(option('version'), '--version', ['1.0.2', '1.0.3', '1.0.4', '1.1'] as const)
  const deviceClass = oneOf(option('class')?.toUpperCase(), '--class', ['A', 'C'] as const)
  return {
    ...(appKey === undefined ? {} : { appKey }),
    ...(nwkKey === undefined ? {} : { nwkKey }),
    ...(joinEui === undefined ? {} : { joinEui: euiArgument(joinEui, '--join-eui') }),
    ...(abp === undefined ? {} : { abp }),
    ...(macVersion === undefined ? {} : { macVersion }),
    ...(deviceClass === undefined ? {} : { deviceClass }),
    ...(codec === undefined ? {} : { codec: codec === 'none' ? null : wordArgument(codec, '--codec') }),
    ...(interval === undefined ? {} : { expectedIntervalSeconds: interval }),
    ...(reset === undefined ? {} : { allowsCounterReset: oneOf(reset, '--counter-reset', ['yes', 'no'] as const) === 'yes' }),
    ...(hasFlag(context, 'disable') ? { isDisabled: true } : hasFlag(context, 'enable') ? { isDisabled: false } : {}),
  }
}

/** Errors: usage. */
function abpOf(option: (name: string) => string | undefined): IotDeviceRequest['abp'] {
  const [devAddr, nwkSKey, appSKey, sNwkSIntKey, nwkSEncKey] = ['dev-addr', 'nwk-s-key', 'app-s-key', 's-nwk-s-int-key', 'nwk-s-enc-key'].map(option)
  if ([devAddr, nwkSKey, appSKey, sNwkSIntKey, nwkSEncKey].every((given) => given === undefined)) return undefined
  if (devAddr === undefined || nwkSKey === undefined || appSKey === undefined) throw usageError('an ABP device has all of --dev-addr, --nwk-s-key and --app-s-key')
  if (sNwkSIntKey === undefined && nwkSEncKey === undefined) return { devAddr, nwkSKey, appSKey }
  if (sNwkSIntKey === undefined || nwkSEncKey === undefined) throw usageError('an ABP device of 1.1 has both of --s-nwk-s-int-key and --nwk-s-enc-key')
  return { devAddr, nwkSKey, appSKey, sNwkSIntKey, nwkSEncKey }
}

function oneOf<const T extends string>(text: string | undefined, what: string, allowed: readonly T[]): T | undefined {
  const found = allowed.find((one) => one === text)
  if (text !== undefined && found === undefined) throw usageError(`${what}: '${text}' is not allowed; allowed: ${allowed.join(', ')}`)
  return found
}

export const loraDeviceRemove: CommandSpec = {
  words: ['lora', 'device', 'remove'],
  summary: 'forgets a device, its session and its queue',
  arguments: [{ name: 'DEVICE' }],
  run: async (context) => {
    const reply = await context.service.call('removeIotDevice', { params: { id: (await find(context)).devEui } })
    return { json: reply, text: devicesText(reply.devices) }
  },
}

export const loraDeviceForgetNonces: CommandSpec = {
  words: ['lora', 'device', 'forget-nonces'],
  summary: 'lets a device join that lost count of its nonces',
  arguments: [{ name: 'DEVICE' }],
  run: async (context) => {
    const { devEui } = await find(context)
    const reply = await context.service.call('forgetIotNonces', { params: { id: devEui } })
    return { json: reply, text: `${devEui} may join again with any DevNonce.` }
  },
}

export const loraReadings: CommandSpec = {
  words: ['lora', 'readings'],
  summary: 'what a device measured, newest first',
  arguments: [{ name: 'DEVICE' }],
  options: [{ name: 'limit', value: 'COUNT', help: 'how many, 1 to 500 (default 50)' }, { name: 'csv', help: 'everything that is kept, as CSV' }, OUTPUT_OPTION],
  run: async (context) => {
    const { devEui } = await find(context)
    if (hasFlag(context, 'csv')) return deliver(context, 'csv', await context.service.call('iotCsv', { params: { id: devEui }, query: {} }))
    const limit = numberOption(context, 'limit', 1, 500)
    const reply = await context.service.call('iotReadings', { params: { id: devEui }, query: limit === undefined ? {} : { limit } })
    return { json: reply, text: readingsText(reply.readings) }
  },
}

export const loraSend: CommandSpec = {
  words: ['lora', 'send'],
  summary: 'a downlink to a device',
  details: `Either JSON for the device's codec, or bytes as hex with a port. It goes with the answer to
the device's next frame; to a device of class C at once.`,
  arguments: [{ name: 'DEVICE' }],
  options: [
    { name: 'data', value: 'JSON', help: 'for the codec, such as {"open":true}' },
    { name: 'payload', value: 'HEX', help: 'bytes' },
    { name: 'port', value: 'PORT', help: '1 to 223 (default 1)' },
    { name: 'confirmed', help: 'sent again until the device acknowledges it' },
    { name: 'expires', value: 'SECONDS', help: 'not sent after that' },
  ],
  run: async (context) => {
    const [data, payload] = [textOption(context, 'data'), textOption(context, 'payload')]
    if ((data === undefined) === (payload === undefined)) throw usageError('either --data or --payload')
    const [fPort, expiresSeconds] = [numberOption(context, 'port', 1, 223) ?? 1, numberOption(context, 'expires', 1, 31_536_000)]
    const what = payload === undefined ? { data: parsed(data ?? '') } : { payload, fPort }
    const item = await context.service.call('iotSend', { params: { id: (await find(context)).devEui }, body: { ...what, isConfirmed: hasFlag(context, 'confirmed'), ...(expiresSeconds === undefined ? {} : { expiresSeconds }) } })
    return { json: item, text: queueText([item]) }
  },
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw usageError(`--data: '${text}' is not JSON`)
    throw thrown
  }
}

export const loraQueue: CommandSpec = {
  words: ['lora', 'queue'],
  summary: 'downlinks of a device: what waits, what became of the last',
  arguments: [{ name: 'DEVICE' }],
  run: async (context) => {
    const reply = await context.service.call('iotQueue', { params: { id: (await find(context)).devEui } })
    return { json: reply, text: queueText(reply.queue) }
  },
}

export const loraCancel: CommandSpec = {
  words: ['lora', 'cancel'],
  summary: 'takes a downlink out of the queue',
  arguments: [{ name: 'NUMBER' }],
  run: async (context) => {
    const id = argument(context, 0)
    if (!/^[1-9]\d{0,14}$/.test(id)) throw usageError(`NUMBER: '${id}' is not the number of a downlink; meshbox lora queue shows them`)
    const item = await context.service.call('iotCancel', { params: { id } })
    return { json: item, text: queueText([item]) }
  },
}

/** By DevEUI or by name. Errors: usage. */
async function find(context: Context): Promise<IotDeviceJson> {
  const called = argument(context, 0)
  const { devices } = await context.service.call('iotDevices', {})
  const found = devices.filter(({ devEui, name }) => devEui === called.toLowerCase() || name === called)
  const [device] = found
  if (device === undefined || found.length > 1) throw usageError(`DEVICE: ${found.length > 1 ? `several devices are called '${called}'` : `there is no device '${called}'`}; meshbox lora devices shows them`)
  return device
}
