/**
 * Boxes on roofs, each a network namespace with a batman-adv interface `bat0`, joined by veth pairs in place of radio links. A box's
 * hard interface towards `b` is `to-b`; its address on bat0 is 10.77.0.<n>, by its place in the list.
 */
import { run, runAnyway } from '../genetlink-guest/line.ts'
import type { Algorithm } from '../genetlink-guest/line.ts'

export type { Algorithm } from '../genetlink-guest/line.ts'

export class Roofs {
  readonly names: readonly string[]
  readonly #prefix: string
  readonly #links: readonly (readonly [string, string])[]

  /** `links`: `['a b', 'b c']`. */
  constructor(algorithm: Algorithm, links: readonly string[]) {
    this.#prefix = `rf${process.pid}-`
    this.#links = links.map((link) => link.split(' ') as [string, string])
    this.names = [...new Set(this.#links.flat())].sort()
    const script: string[] = []
    for (const name of this.names) {
      const at = `ip netns exec ${this.place(name)}`
      // Originators every 200 ms and no loop avoidance: what takes half a minute is there in a second.
      script.push(`ip netns add ${this.place(name)}`, `ip -n ${this.place(name)} link set lo up`)
      script.push(`${at} batctl meshif bat0 interface create routing_algo ${algorithm}`, `${at} batctl meshif bat0 orig_interval 200`, `${at} batctl meshif bat0 bridge_loop_avoidance 0`)
    }
    for (const [one, other] of this.#links) {
      script.push(`ip -n ${this.place(one)} link add to-${other} address ${this.mac(one, other)} type veth peer name to-${one} address ${this.mac(other, one)} netns ${this.place(other)}`)
      for (const [here, there] of [[one, other], [other, one]] as const)
        script.push(`ip -n ${this.place(here)} link set to-${there} master bat0 up`)
    }
    for (const [index, name] of this.names.entries()) script.push(`ip -n ${this.place(name)} link set bat0 up`, `ip -n ${this.place(name)} addr add 10.77.0.${index + 1}/24 dev bat0`)
    run('sh', '-ec', script.join('\n'))
  }

  /** Name of the namespace. */
  place(name: string): string {
    return `${this.#prefix}${name}`
  }

  path(name: string): string {
    return `/run/netns/${this.place(name)}`
  }

  address(name: string): string {
    return `10.77.0.${this.names.indexOf(name) + 1}`
  }

  neighboursOf(name: string): readonly string[] {
    return this.#links.filter((link) => link.includes(name)).map(([one, other]) => (one === name ? other : one))
  }

  /** Of `name`'s end of its link to `to`. */
  mac(name: string, to: string): string {
    const number = (box: string): string => (this.names.indexOf(box) + 1).toString(16).padStart(2, '0')
    return `02:6d:00:00:${number(name)}:${number(to)}`
  }

  /** batman-adv's name of a box: its first hard interface. */
  originator(name: string): string {
    return this.mac(name, this.neighboursOf(name)[0] ?? '')
  }

  /** Which box an originator or hard interface is of. */
  boxOf(mac: string | null): string | null {
    return this.names.find((name) => this.neighboursOf(name).some((to) => this.mac(name, to) === mac)) ?? null
  }

  in(name: string, command: string, ...args: string[]): string {
    return run('ip', 'netns', 'exec', this.place(name), command, ...args)
  }

  batctl(name: string, ...args: string[]): string {
    return this.in(name, 'batctl', 'meshif', 'bat0', ...args)
  }

  json<Row>(name: string, command: string): readonly Row[] {
    return JSON.parse(this.batctl(name, command)) as Row[]
  }

  /** Both directions; false where nothing came back. */
  pings(name: string, to: string, options: readonly string[] = ['-c', '1', '-W', '1']): boolean {
    try {
      this.in(name, 'ping', '-q', ...options, to)
      return true
    } catch {
      return false // no answer is an answer
    }
  }

  /** As a radio link ends: both interfaces stay up, and nothing arrives. */
  cut(one: string, other: string): void {
    for (const [here, there] of [[one, other], [other, one]] as const) this.in(here, 'tc', 'qdisc', 'add', 'dev', `to-${there}`, 'root', 'netem', 'loss', '100%')
  }

  heal(one: string, other: string): void {
    for (const [here, there] of [[one, other], [other, one]] as const) this.in(here, 'tc', 'qdisc', 'del', 'dev', `to-${there}`, 'root')
  }

  remove(): void {
    for (const name of this.names) runAnyway('ip', 'netns', 'del', this.place(name))
  }
}

export const LINE = ['a b', 'b c', 'c d'] as const
/** Two ways from a to d. */
export const DIAMOND = ['a b', 'a c', 'b d', 'c d'] as const
