/** `meshbox lora codecs`, `lora codec put | try | remove` */
import { argument, numberOption, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { readTextFile } from '../files.ts'
import { table } from '../text.ts'
import { valuesText, wordArgument } from './iot-text.ts'

const MAX_SOURCE = 48 * 1024

function codecsText(codecs: readonly { readonly name: string; readonly isBuiltIn: boolean; readonly devices: number }[]): string {
  return table([{ title: 'CODEC' }, { title: 'DEVICES', align: 'right' }, { title: 'IS', stretch: true }], codecs.map(({ name, isBuiltIn, devices }) => [name, String(devices), isBuiltIn ? 'built in' : "the owner's JavaScript"]))
}

export const loraCodecs: CommandSpec = {
  words: ['lora', 'codecs'],
  summary: 'what makes values of bytes',
  run: async ({ service }) => {
    const reply = await service.call('iotCodecs', {})
    return { json: reply, text: codecsText(reply.codecs) }
  },
}

export const loraCodecPut: CommandSpec = {
  words: ['lora', 'codec', 'put'],
  summary: 'takes a codec in JavaScript, new or changed',
  details: `FILE has decodeUplink({bytes, fPort}) → {data} or encodeDownlink({data}) → {bytes, fPort},
as ChirpStack v4 and The Things Stack have them; - is standard input. It runs in a process
of its own, without files and network, for at most 50 ms.`,
  arguments: [{ name: 'NAME' }, { name: 'FILE' }],
  run: async (context) => {
    const reply = await context.service.call('putIotCodec', { body: { name: wordArgument(argument(context, 0), 'NAME'), source: await readTextFile(context.io, argument(context, 1), MAX_SOURCE) } })
    return { json: reply, text: codecsText(reply.codecs) }
  },
}

export const loraCodecTry: CommandSpec = {
  words: ['lora', 'codec', 'try'],
  summary: 'what a codec makes of a payload',
  arguments: [{ name: 'NAME' }, { name: 'HEX' }],
  options: [{ name: 'port', value: 'PORT', help: '1 to 223 (default 1)' }],
  run: async (context) => {
    const payload = argument(context, 1)
    if (!/^([0-9a-fA-F]{2}){1,242}$/.test(payload)) throw usageError(`HEX: '${payload}' is no payload, two hex digits for each of 1 to 242 bytes`)
    const made = await context.service.call('tryIotCodec', { params: { id: wordArgument(argument(context, 0), 'NAME') }, body: { payload, fPort: numberOption(context, 'port', 1, 223) ?? 1 } })
    return { json: made, text: made.problem ?? valuesText(made.values ?? []), exitCode: made.problem === null ? 0 : 1 }
  },
}

export const loraCodecRemove: CommandSpec = {
  words: ['lora', 'codec', 'remove'],
  summary: 'forgets a codec that no device uses',
  arguments: [{ name: 'NAME' }],
  run: async (context) => {
    const reply = await context.service.call('removeIotCodec', { params: { id: wordArgument(argument(context, 0), 'NAME') } })
    return { json: reply, text: codecsText(reply.codecs) }
  },
}
