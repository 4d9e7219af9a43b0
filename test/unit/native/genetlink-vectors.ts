/** Messages that a real kernel sent: test/vectors/genetlink-linux-6.1.json. */
import { readFileSync } from 'node:fs'
import { concatBytes, fromHex } from '../../../src/base/index.ts'
import { attribute } from '../../../src/native/index.ts'
import type { GenetlinkMessage } from '../../../src/native/index.ts'

interface Captured {
  readonly command: number
  readonly version: number
  readonly attributes: string
}

const { messages } = JSON.parse(readFileSync(new URL('../../vectors/genetlink-linux-6.1.json', import.meta.url), 'utf8')) as { messages: Record<string, readonly Captured[]> }

export function captured(key: string): GenetlinkMessage[] {
  const found = messages[key]
  if (found === undefined) throw new Error(`no vector '${key}'; there are: ${Object.keys(messages).join(', ')}`)
  return found.map(({ command, version, attributes }) => ({ command, version, attributes: fromHex(attributes) }))
}

export const everyCaptured = (): GenetlinkMessage[] => Object.keys(messages).flatMap(captured)

/** The same with an attribute that no kernel knows yet, in front and behind. */
export function withUnknown(message: GenetlinkMessage): GenetlinkMessage {
  const unknown = attribute(0x3ffe, fromHex('deadbeef'))
  return { ...message, attributes: concatBytes(unknown, message.attributes, unknown) }
}
