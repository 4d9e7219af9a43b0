/**
 * What the kernel shows of interfaces in files: whether the cable is in, what was sent, which addresses and default routes there are.
 * A few reads of memory, so they may be made twice a second.
 */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { defaultRoutes4, defaultRoutes6 } from '../default-routes.ts'
import type { UplinkPlace } from '../route-plan.ts'
import type { LinkSight, UplinkLinks } from '../uplink-watch.ts'

const PATHS = { devices: '/sys/class/net', routes4: '/proc/net/route', routes6: '/proc/net/ipv6_route' }

/** `paths`: for tests. */
export function createUplinkLinks(paths: typeof PATHS = PATHS): UplinkLinks {
  return {
    see(interfaceName): LinkSight {
      const of = (file: string): string | null => textOf(`${paths.devices}/${interfaceName}/${file}`)
      // An interface that is set down has no readable carrier.
      const sentBytes = Number(of('statistics/tx_bytes') ?? Number.NaN)
      if (Number.isNaN(sentBytes)) return { trouble: 'there is no such interface', sentBytes: 0 }
      return { trouble: of('carrier')?.trim() === '1' ? null : 'the link is down', sentBytes }
    },
    places(interfaceNames): (UplinkPlace | null)[] {
      const routes = [...defaultRoutes4(textOf(paths.routes4) ?? ''), ...defaultRoutes6(textOf(paths.routes6) ?? '')]
      const found = networkInterfaces()
      return interfaceNames.map((interfaceName) => {
        const addresses = (found[interfaceName] ?? [])
          .filter(({ address }) => !/^fe[89ab]/i.test(address))
          .map(({ address, family }) => ({ family: family === 'IPv4' ? (4 as const) : (6 as const), address }))
        return addresses.length === 0 ? null : { interfaceName, addresses, routes: routes.filter((route) => route.interfaceName === interfaceName) }
      })
    },
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null // what is not there, or cannot be read now, is not known
  }
}
