/** What is measured on the emulated router, for the tests' gates and for `make qemu-bench`. */
import { PORTAL_PORT, CONTROL_SOCKET, type Router } from '../../qemu/router.ts'
import type { Paid, PhonesTask } from './programs/phones.ts'
import { putProgram } from './program.ts'
import { quote } from './guest-namespace.ts'

export interface Memory {
  readonly rssMebibytes: number
  readonly privateDirtyMebibytes: number
}

/** Process id of the service. */
export async function servicePid(router: Router): Promise<number> {
  // The brackets keep the search from finding itself.
  const found = (await router.machine.sh(`grep -la 'meshboxd[.]cjs' /proc/[0-9]*/cmdline 2> /dev/null | cut -d/ -f3; true`)).trim().split('\n').filter(Boolean)
  if (found.length !== 1) throw new Error(`${found.length} processes are the service: ${found.join(' ')}`)
  return Number(found[0])
}

/** The kernel's own sum over all mappings. */
export async function memoryOf(router: Router): Promise<Memory> {
  const rollup = await router.machine.sh(`cat /proc/${await servicePid(router)}/smaps_rollup`)
  const mebibytes = (name: string): number => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]
    if (kibibytes === undefined) throw new Error(`no ${name} in smaps_rollup: ${rollup}`)
    return Number(kibibytes) / 1024
  }
  return { rssMebibytes: mebibytes('Rss'), privateDirtyMebibytes: mebibytes('Private_Dirty') }
}

export const asText = (memory: Memory): string => `RSS ${memory.rssMebibytes.toFixed(1)} MiB, private dirty ${memory.privateDirtyMebibytes.toFixed(1)} MiB`

/** Phones in the guest's namespace `phones`: town.sh made them with these addresses. */
export interface Phones {
  readonly program: string
  readonly addresses: readonly string[]
}

const FIRST = 10

/** Plugs phones into the guest bridge. At most 240. */
export async function plugPhones(router: Router, count: number): Promise<Phones> {
  const bridge = await router.guestBridge()
  const [gateway = '', length = ''] = bridge.address.split('/')
  const network = gateway.split('.').slice(0, 2).join('.')
  const third = Number(gateway.split('.')[2]) + 1
  await router.town(`phones ${count} ${bridge.name} ${network}.${third}.${FIRST} ${gateway} ${length}`)
  return { program: await putProgram(router.machine, 'test/qemu/programs/phones.ts'), addresses: Array.from({ length: count }, (_, index) => `${network}.${third}.${FIRST + index}`) }
}

/** The shell command that lets the phones do something. */
export async function phonesCommand(router: Router, phones: Phones, task: Pick<PhonesTask, 'what' | 'packageId' | 'rounds' | 'internet' | 'log'>): Promise<string> {
  const { address } = await router.guestBridge()
  const whole: PhonesTask = { portal: `http://${address.split('/')[0]}:${PORTAL_PORT}`, control: CONTROL_SOCKET, phones: phones.addresses, ...task }
  return `ip netns exec phones node ${phones.program} ${quote(JSON.stringify(whole))}`
}

/** Pays so often and waits each time for the Internet. */
export async function payAndGoOnline(router: Router, phones: Phones, rounds: number, internet: string): Promise<Paid[]> {
  const stdout = await router.machine.sh(await phonesCommand(router, phones, { what: 'online', packageId: 'half_hour', rounds, internet }), 400)
  return stdout.trim().split('\n').map((line) => JSON.parse(line) as Paid)
}
