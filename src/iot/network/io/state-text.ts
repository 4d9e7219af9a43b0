/** Channels of a session as a short text: 72 of them are 12 KiB as JSON, and a session is written with every frame. */
import { fromHex, toHex } from '../../../base/index.ts'
import type { NetworkSession } from '../session.ts'

type Channels = NetworkSession['channels']

/** Each `frequency/100,least,most,on` in numbers to the base 36, or `-`; parted by `;`. */
export function channelsText(channels: Channels): string {
  return channels.map((channel) => (channel === null ? '-' : [channel.frequencyHz / 100, channel.minDataRate, channel.maxDataRate, channel.isEnabled ? 1 : 0].map((number) => number.toString(36)).join(','))).join(';')
}

export function channelsOf(text: string): Channels {
  if (text === '') return []
  return text.split(';').map((part) => {
    if (part === '-') return null
    const [units = 0, minDataRate = 0, maxDataRate = 0, on = 0] = part.split(',').map((number) => parseInt(number, 36))
    return { frequencyHz: units * 100, minDataRate, maxDataRate, isEnabled: on === 1 }
  })
}

export const bytesText = toHex
export const textBytes = (text: string): Uint8Array => fromHex(text)
