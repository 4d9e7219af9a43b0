/** What kind of answer the asker wants (RFC 9110, 12.5.1), as far as the portal has a choice. */
const MAX_HEADER_LENGTH = 1024
const MAX_RANGES = 24

/** The weight of each media type named; `*` and unnamed types count as absent. */
function weights(accept: string): Map<string, number> {
  const found = new Map<string, number>()
  if (accept.length > MAX_HEADER_LENGTH) return found
  for (const range of accept.split(',').slice(0, MAX_RANGES)) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
    if (/^[01](\.\d{0,3})?$/.test(quality)) found.set(type, Number(quality))
  }
  return found
}

/** A browser that opened the API's address by hand: wants a page, and more than the API's own type. */
export function wantsPageNotApi(accept: string): boolean {
  const weight = weights(accept)
  const page = weight.get('text/html') ?? 0
  return page > Math.max(weight.get('application/captive+json') ?? 0, weight.get('application/json') ?? 0)
}

/** A program: names JSON and does not name a page. */
export function wantsJson(accept: string): boolean {
  const weight = weights(accept)
  const json = Math.max(weight.get('application/json') ?? 0, weight.get('application/captive+json') ?? 0)
  return json > 0 && (weight.get('text/html') ?? 0) < json
}
