/** Routes and destinations of tenants as the owner writes and reads them; pure. */
import { inputError } from '../base/index.ts'
import type { Route, Tenant } from '../iot/index.ts'
import type { IotTenantRequest } from './api/iot.ts'

const ROUTE_FORMS = '`dev-addr 26010000/16`, `net-id 000013`, `join 70b3d57ed0000000` or `join 70b3d57ed0000000 0004a30b001c0530`'
const PLACE_FORMS = '`broker`, `gwmp HOST:PORT`, `station wss://[:TOKEN@]HOST[:PORT]` (or ws), or `chirpstack mqtt://[NAME:PASSWORD@]HOST:PORT PREFIX json` (or protobuf)'
/** Stands for the password that is known. */
const HIDDEN = '***'

/** Errors: input `routes`. */
export function parseRoute(text: string): Route {
  const [kind, first = '', second, ...more] = text.trim().split(/\s+/)
  const wrong = (): Error => inputError('routes', text, ROUTE_FORMS)
  if (more.length > 0) throw wrong()
  if (kind === 'dev-addr' && second === undefined) {
    const [, address, bits] = /^([0-9a-fA-F]{8})\/(\d{1,2})$/.exec(first) ?? []
    if (address === undefined || Number(bits) > 32) throw wrong()
    return { kind, prefix: Number.parseInt(address, 16), prefixBits: Number(bits) }
  }
  if (kind === 'net-id' && second === undefined && /^[0-9a-fA-F]{6}$/.test(first)) return { kind, netId: Number.parseInt(first, 16) }
  if (kind === 'join' && isEui(first) && (second === undefined || isEui(second))) return { kind, joinEui: first.toLowerCase(), devEui: second?.toLowerCase() ?? null }
  throw wrong()
}

export function routeText(route: Route): string {
  switch (route.kind) {
    case 'dev-addr':
      return `dev-addr ${hex(route.prefix, 8)}/${route.prefixBits}`
    case 'net-id':
      return `net-id ${hex(route.netId, 6)}`
    case 'join':
      return `join ${route.joinEui}${route.devEui === null ? '' : ` ${route.devEui}`}`
  }
}

/** Errors: input `destination`. */
export function parseDestination(text: string): Tenant['destination'] {
  const [kind, place = '', topicPrefix = '', encoding = 'json', ...more] = text.trim().split(/\s+/)
  const wrong = (): Error => inputError('destination', text.replace(/\/\/\S*@/, `//${HIDDEN}@`), PLACE_FORMS)
  if (kind === 'broker' && place === '') return { kind }
  if (kind === 'gwmp' && topicPrefix === '') {
    const [, host, port] = /^\[?([A-Za-z0-9.:_-]{1,253}?)\]?:(\d{1,5})$/.exec(place) ?? []
    if (host === undefined || port === undefined) throw wrong()
    return { kind, host, port: Number(port) }
  }
  if (kind === 'station' && place !== '' && topicPrefix === '') return { kind, url: place }
  if (kind === 'chirpstack' && more.length === 0 && (encoding === 'json' || encoding === 'protobuf')) return { kind, url: place, topicPrefix: topicPrefix === '-' ? '' : topicPrefix, encoding }
  throw wrong()
}

export function destinationText(destination: Tenant['destination']): string {
  switch (destination.kind) {
    case 'broker':
      return 'broker'
    case 'gwmp':
      return `gwmp ${destination.host.includes(':') ? `[${destination.host}]` : destination.host}:${destination.port}`
    case 'station':
      return `station ${withoutPassword(destination.url)}`
    case 'chirpstack':
      return `chirpstack ${withoutPassword(destination.url)} ${destination.topicPrefix === '' ? '-' : destination.topicPrefix} ${destination.encoding}`
  }
}

export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

function isEui(text: string): boolean {
  return /^[0-9a-fA-F]{16}$/.test(text)
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url) || new URL(url).password === '') return url
  const shown = new URL(url)
  shown.password = HIDDEN
  return shown.href
}

/** What is written as it is shown keeps its password, at the same place and for the same name only. Errors: input `destination`. */
export function withKnownPassword(given: Tenant['destination'], before: Tenant['destination'] | null): Tenant['destination'] {
  if ((given.kind !== 'chirpstack' && given.kind !== 'station') || !URL.canParse(given.url) || new URL(given.url).password !== HIDDEN) return given
  if (before?.kind === given.kind && withoutPassword(before.url) === new URL(given.url).href) return { ...given, url: before.url }
  throw inputError('destination', given.url, 'the password itself: the one that is known is for another place or name')
}

/** What is left out of `asked` stays, as long as frames go to the same place under the same name; a key goes with its certificate. Errors: input `destination`. */
export function withCertificates(given: Tenant['destination'], before: Tenant['destination'] | null, asked: Pick<IotTenantRequest, 'ca' | 'clientCertificate' | 'clientKey'>): Tenant['destination'] {
  const [from, to] = [placeOf(before), placeOf(given)]
  if (to === null || (given.kind !== 'station' && given.kind !== 'chirpstack')) {
    if ([asked.ca, asked.clientCertificate, asked.clientKey].every((text) => text === undefined || text === null)) return given
    throw inputError('destination', given.kind, '`station wss://...` or `chirpstack mqtts://...`, or none of ca, clientCertificate, clientKey')
  }
  const known = from === to && before !== null && 'tls' in before ? before.tls : undefined
  const { ca = known?.ca ?? null, clientCertificate: certificate = known?.certificate ?? null } = asked
  const { clientKey: key = certificate === null ? null : (known?.key ?? null) } = asked
  return ca === null && certificate === null && key === null ? given : { ...given, tls: { ca, certificate, key } }
}

/** Null: nowhere that one goes to by a URL. */
function placeOf(destination: Tenant['destination'] | null): string | null {
  if ((destination?.kind !== 'station' && destination?.kind !== 'chirpstack') || !URL.canParse(destination.url)) return null
  const url = new URL(destination.url)
  url.password = ''
  return `${destination.kind} ${url.href}`
}
