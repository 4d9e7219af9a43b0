/** What a tenant may look like. The owner, or a configuration, says it; a breach names the field. */
import { MAX_AMOUNT, inputError } from '../../base/index.ts'
import type { Destination, PriceList, Tenant } from '../ports.ts'

/** A 2^80th is a million tokens of 18 decimals: sums of 2^34 units stay below 2^128. */
const MAX_PRICE = 2n ** 80n
const MAX_CREDIT_WINDOW = MAX_AMOUNT / 4n
const MAX_COPIES = 16
const MAX_BANDS = 32
const ADDRESS = /^0x[0-9a-f]{40}$/

/** Errors: input. Routes are judged by the RouteTable, the token by who names it. */
export function checkTenant(tenant: Tenant): Tenant {
  if (!/^[a-z0-9-]{1,32}$/.test(tenant.id)) throw inputError('id', tenant.id, '1 to 32 lower-case letters, digits and -')
  if (!/^[^\p{Control}]{1,64}$/u.test(tenant.name)) throw inputError('name', tenant.name, '1 to 64 characters')
  if (!ADDRESS.test(tenant.payer)) throw inputError('payer', tenant.payer, 'an address, 0x and 40 lower-case hex digits')
  checkPrices(tenant.prices)
  if (tenant.creditWindow < 0n || tenant.creditWindow > MAX_CREDIT_WINDOW) throw inputError('creditWindow', tenant.creditWindow, `0 (prepaid) to ${MAX_CREDIT_WINDOW}`)
  if (!Number.isInteger(tenant.maxCopies) || tenant.maxCopies < 1 || tenant.maxCopies > MAX_COPIES) throw inputError('maxCopies', tenant.maxCopies, `1 to ${MAX_COPIES}`)
  checkDestination(tenant.destination)
  return tenant
}

function checkPrices(prices: PriceList): void {
  if (!ADDRESS.test(prices.token)) throw inputError('prices.token', prices.token, 'an address, 0x and 40 lower-case hex digits')
  for (const name of ['perUnit', 'perJoin'] as const) checkPrice(prices[name], `prices.${name}`)
  if (prices.perLateFrame !== null) checkPrice(prices.perLateFrame, 'prices.perLateFrame')
  const bands = Object.entries(prices.perDownlinkMs)
  if (bands.length > MAX_BANDS) throw inputError('prices.perDownlinkMs', `${bands.length} bands`, `at most ${MAX_BANDS}`)
  for (const [band, price] of bands) {
    if (!/^([A-Za-z0-9._-]{1,16}|\*)$/.test(band)) throw inputError('prices.perDownlinkMs', band, 'names of sub-bands, * for the others')
    checkPrice(price, `prices.perDownlinkMs.${band}`)
  }
}

function checkPrice(price: bigint, field: string): void {
  if (price < 0n || price > MAX_PRICE) throw inputError(field, price, `0 to ${MAX_PRICE}`)
}

function checkDestination(destination: Destination): void {
  switch (destination.kind) {
    case 'gwmp':
      if (!/^[A-Za-z0-9.:_-]{1,253}$/.test(destination.host)) throw inputError('destination.host', destination.host, 'a host name or an address')
      if (!Number.isInteger(destination.port) || destination.port < 1 || destination.port > 65_535) throw inputError('destination.port', destination.port, '1 to 65535')
      return
    case 'station':
      checkUrl(destination.url, ['ws:', 'wss:'])
      return checkStationUrl(new URL(destination.url))
    case 'chirpstack':
      if (!/^[A-Za-z0-9/_-]{0,64}$/.test(destination.topicPrefix)) throw inputError('destination.topicPrefix', destination.topicPrefix, 'at most 64 letters, digits, /, _ and -')
      return checkUrl(destination.url, ['mqtt:', 'mqtts:'])
    case 'broker':
      return
  }
}

function checkUrl(url: string, protocols: readonly string[]): void {
  const allowed = `a URL that begins with ${protocols.join('// or ')}//`
  const refused = (): Error => inputError('destination.url', url.replace(/\/\/.*@/, '//***@'), allowed)
  if (url.length > 512 || !URL.canParse(url)) throw refused()
  const { protocol, hostname, username, password } = new URL(url)
  if (!protocols.includes(protocol) || hostname === '' || !isEncoded(username) || !isEncoded(password)) throw refused()
}

/** Name and password go into a header, the path is continued. */
function checkStationUrl({ username, password, search, hash }: URL): void {
  if (!/^[\x21-\x7e]*$/.test(decodeURIComponent(username + password))) throw inputError('destination.url', 'its token', 'printable ASCII without blanks')
  if (search !== '' || hash !== '') throw inputError('destination.url', search + hash, 'a URL without ? and #: /router-info is put behind it')
}

/** What is behind a % can be read. */
function isEncoded(part: string): boolean {
  try {
    decodeURIComponent(part)
    return true
  } catch (thrown) {
    if (thrown instanceof URIError) return false
    throw thrown
  }
}
