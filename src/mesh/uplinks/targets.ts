/**
 * Whom a way out is tried with, as the configuration writes it: an IP address is asked by DNS (UDP, port 53), `address:port` or
 * `name:port` is connected to by TCP.
 */
import { inputError } from '../../base/index.ts'

const DNS_PORT = 53

export interface Target {
  readonly protocol: 'dns' | 'tcp'
  readonly host: string
  readonly port: number
  /** Null: a name, which the system's resolver looks up, over whatever way that takes. */
  readonly family: 4 | 6 | null
}

const BRACKETED = /^\[([0-9a-fA-F:.]+)\](?::([1-9]\d{0,4}))?$/
const IP4 = /^\d{1,3}(\.\d{1,3}){3}$/
const MAX_PORT = 65_535

/** Errors: input `target`. */
export function readTarget(text: string): Target {
  const bracketed = BRACKETED.exec(text)
  if (bracketed !== null) return made(text, bracketed[1] ?? '', bracketed[2], 6)
  if (text.split(':').length > 2) return made(text, text, undefined, 6)
  const [host = '', port] = text.split(':')
  const family = IP4.test(host) ? 4 : null
  if (host === '' || (family === null && port === undefined)) throw wrong(text)
  return made(text, host, port, family)
}

function made(text: string, host: string, port: string | undefined, family: 4 | 6 | null): Target {
  if (port === undefined) return { protocol: 'dns', host, port: DNS_PORT, family }
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > MAX_PORT) throw wrong(text)
  return { protocol: 'tcp', host, port: Number(port), family }
}

const wrong = (text: string): Error => inputError('target', text, 'an IP address, address:port or name:port')
