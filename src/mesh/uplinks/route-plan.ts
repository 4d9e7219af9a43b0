/**
 * What the kernel is told so that each way out has its own table, traffic takes the chosen one's, and a socket with an uplink's
 * address takes that uplink's (which is how probes are bound to exactly one interface). Commands are lines for `ip -batch`.
 *
 *   5200 + n   from <address of uplink n>  → table 5200 + n: its default route, behind it `unreachable`, so that nothing leaks
 *   5290       table main, without its default routes: everything near
 *   5291       table 5200 + chosen
 *
 * Without a choice 5291 is missing, and the firmware's own default route in table main holds, as it does when all rules are gone.
 */
import type { DefaultRoute } from './default-routes.ts'

const MAX_UPLINKS = 8
const FIRST = 5200
const NEAR = 5290
const CHOSEN = 5291
const LAST_RESORT_METRIC = 4_294_967_294
/** Names come from the configuration and addresses from the kernel; what goes into a line is looked at once more. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/
const IP = /^[0-9a-fA-F.:]{2,39}$/

export interface UplinkPlace {
  readonly interfaceName: string
  /** Its own, without link-local ones. */
  readonly addresses: readonly { readonly family: 4 | 6; readonly address: string }[]
  readonly routes: readonly DefaultRoute[]
}

/** A line and whether it may fail, as the removal of what is not there does. */
export interface RouteCommand {
  /** For `ip -4` or `ip -6`: a line cannot say it. */
  readonly family: 4 | 6
  readonly line: string
  readonly mayFail: boolean
}

/** Takes away everything that ever was put in: at start, and at the end. Rules of one number are taken away one by one. */
export function clearPlan(rulesEach: number): RouteCommand[] {
  const commands: RouteCommand[] = []
  for (const family of [4, 6] as const) {
    for (const preference of [...Array.from({ length: MAX_UPLINKS }, (_, index) => FIRST + index), NEAR, CHOSEN])
      for (let each = 0; each < rulesEach; each++) commands.push(may(family, `rule del pref ${preference}`))
    for (let index = 0; index < MAX_UPLINKS; index++) commands.push(may(family, `route flush table ${FIRST + index}`))
  }
  return commands
}

/** From `before` to `after`, both in the configuration's order; the same places give no commands. */
export function placePlan(before: readonly (UplinkPlace | null)[], after: readonly (UplinkPlace | null)[]): RouteCommand[] {
  const commands: RouteCommand[] = []
  after.slice(0, MAX_UPLINKS).forEach((place, index) => {
    const old = before[index] ?? null
    if (JSON.stringify(old) === JSON.stringify(place)) return
    const table = FIRST + index
    for (const { family, address } of old?.addresses ?? []) commands.push(may(family, `rule del pref ${table} from ${checked(IP, address)}`))
    for (const family of [4, 6] as const) {
      commands.push(must(family, `route replace unreachable default metric ${LAST_RESORT_METRIC} table ${table}`))
      const route = place?.routes.find((each) => each.family === family)
      if (route === undefined || place === null) {
        commands.push(may(family, `route del default table ${table} metric 1`))
        continue
      }
      const via = route.gateway === null ? '' : `via ${checked(IP, route.gateway)} `
      commands.push(must(family, `route replace default ${via}dev ${checked(NAME, place.interfaceName)}${route.gateway === null || family === 6 ? '' : ' onlink'} metric 1 table ${table}`))
    }
    for (const { family, address } of place?.addresses ?? []) commands.push(must(family, `rule add pref ${table} from ${checked(IP, address)} lookup ${table}`))
  })
  return commands
}

/** `index`: place in the configuration; null: none. The new rule is there before the old one goes: no packet goes astray. */
export function choicePlan(before: number | null, index: number | null): RouteCommand[] {
  if (before === index) return []
  const commands: RouteCommand[] = []
  for (const family of [4, 6] as const) {
    if (index !== null) {
      if (before === null) commands.push(must(family, `rule add pref ${NEAR} lookup main suppress_prefixlength 0`))
      commands.push(must(family, `rule add pref ${CHOSEN} lookup ${FIRST + index}`))
    }
    if (before !== null) commands.push(may(family, `rule del pref ${CHOSEN} lookup ${FIRST + before}`))
    if (index === null) commands.push(may(family, `rule del pref ${NEAR}`))
  }
  return commands
}

/** IPv6 may be missing in the kernel; IPv4 may not. */
const must = (family: 4 | 6, line: string): RouteCommand => ({ family, line, mayFail: family === 6 })
const may = (family: 4 | 6, line: string): RouteCommand => ({ family, line, mayFail: true })

function checked(form: RegExp, text: string): string {
  if (!form.test(text)) throw new TypeError(`not for a line of ip: ${JSON.stringify(text.slice(0, 40))}`)
  return text
}
