/**
 * Where the ways out lead: default routes as /proc/net/route and /proc/net/ipv6_route show them, so that no process is started to
 * know them. Columns: the kernel's net/ipv4/fib_trie.c (fib_route_seq_show) and net/ipv6/ip6_fib.c (ipv6_route_native_seq_show);
 * IPv4 addresses are there as the machine's own word (little-endian on all our targets).
 */
export interface DefaultRoute {
  readonly family: 4 | 6
  readonly interfaceName: string
  /** Null: a link without one, such as LTE's. */
  readonly gateway: string | null
}

const UP = 0x1
const REJECT = 0x0200
const MAX_ROUTES = 4096
const ZERO_6 = '0'.repeat(32)

/** One per interface, the kernel's best first. Lines that have another form are left out. */
export function defaultRoutes4(table: string): DefaultRoute[] {
  return best(
    lines(table)
      .slice(1)
      .flatMap((fields) => {
        const [interfaceName = '', destination, gateway = '', flags = '', , , metric = '', mask] = fields
        const bits = Number.parseInt(flags, 16)
        if (destination !== '00000000' || mask !== '00000000' || (bits & UP) === 0 || (bits & REJECT) !== 0 || !/^[0-9A-F]{8}$/.test(gateway)) return []
        return [{ family: 4 as const, interfaceName, gateway: gateway === '00000000' ? null : address4(gateway), metric: Number(metric) }]
      }),
  )
}

/** As `defaultRoutes4`. */
export function defaultRoutes6(table: string): DefaultRoute[] {
  return best(
    lines(table).flatMap((fields) => {
      const [destination, length, , , gateway = '', metric = '', , , flags = '', interfaceName = ''] = fields
      const bits = Number.parseInt(flags, 16)
      if (destination !== ZERO_6 || length !== '00' || (bits & UP) === 0 || (bits & REJECT) !== 0 || interfaceName === '' || !/^[0-9a-f]{32}$/.test(gateway)) return []
      return [{ family: 6 as const, interfaceName, gateway: gateway === ZERO_6 ? null : (gateway.match(/.{4}/g) ?? []).join(':'), metric: Number.parseInt(metric, 16) }]
    }),
  )
}

function lines(table: string): string[][] {
  return table.split('\n', MAX_ROUTES).map((line) => line.trim().split(/\s+/))
}

function best(found: readonly (DefaultRoute & { readonly metric: number })[]): DefaultRoute[] {
  const byInterface = new Map<string, DefaultRoute>()
  for (const { metric: _, ...route } of [...found].sort((a, b) => a.metric - b.metric)) if (!byInterface.has(route.interfaceName)) byInterface.set(route.interfaceName, route)
  return [...byInterface.values()]
}

function address4(word: string): string {
  return [6, 4, 2, 0].map((at) => Number.parseInt(word.slice(at, at + 2), 16)).join('.')
}
