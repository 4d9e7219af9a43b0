/** A network namespace inside the emulated router, with the face of one on this machine. */
import { GuestError, type Machine } from '../../qemu/runner/machine.ts'
import { Namespace, runProgram, type GuestHost, type RunResult } from '../support/netns.ts'

export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

export class MachineNamespace extends Namespace {
  readonly #machine: Machine

  constructor(machine: Machine, name: string) {
    super(name)
    this.#machine = machine
  }

  /** `input` and `env` are not supported here. */
  override run(command: string, args: readonly string[] = [], options: { timeoutMs?: number } = {}): Promise<RunResult> {
    return this.#machine.exec(['ip', 'netns', 'exec', this.name, command, ...args].map(quote).join(' '), Math.ceil((options.timeoutMs ?? 30_000) / 1000))
  }

  override async must(command: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, args)
    if (code !== 0) throw new GuestError(`${command} ${args.join(' ')} in ${this.name}: exit code ${code}: ${stderr}`)
    return stdout
  }
}

/** The visitor of `make qemu`, by its SOCKS5 port: what runs "inside" runs here, and asks through it. Programs that know ALL_PROXY, such as curl. */
export function visitorHost(port: number): GuestHost {
  return { index: 0, ns: new VisitorNamespace(port), port: 'visitor', mac: '', ip4: '', ip6: '' }
}

class VisitorNamespace extends Namespace {
  readonly #port: number

  constructor(port: number) {
    super('visitor')
    this.#port = port
  }

  override run(command: string, args: readonly string[] = [], options: { timeoutMs?: number } = {}): Promise<RunResult> {
    return runProgram(command, args, { ...options, env: { ...process.env, ALL_PROXY: `socks5h://127.0.0.1:${this.#port}` } })
  }
}

/** A guest made by `town.sh guest NAME`, for Phone and its like. */
export async function guestHost(machine: Machine, name: string, index: number): Promise<GuestHost> {
  const ns = new MachineNamespace(machine, name)
  const mac = (await ns.must('cat', '/sys/class/net/eth0/address')).trim()
  return { index, ns, port: name, mac, ip4: '', ip6: '' }
}
