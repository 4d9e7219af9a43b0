/**
 * Three nodes in a line, each a network namespace with a batman-adv interface `bat0`:
 *
 *   a ── b ── c      hard interfaces right (of a, b) and left (of b, c), joined by veth pairs
 */
import { execFileSync } from 'node:child_process'

export type NodeName = 'a' | 'b' | 'c'
export type Algorithm = 'BATMAN_IV' | 'BATMAN_V'

const NODES: readonly NodeName[] = ['a', 'b', 'c']

/** The program's output; throws with its words when it fails. */
export function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The same, for cleaning up: what is not there any more need not be removed. */
export function runAnyway(command: string, ...args: string[]): void {
  try {
    run(command, ...args)
  } catch {
    return // it was gone already
  }
}

export class Line {
  readonly #prefix: string
  readonly #links: readonly (readonly [NodeName, string, NodeName, string])[] = [
    ['a', 'right', 'b', 'left'],
    ['b', 'right', 'c', 'left'],
  ]

  constructor(algorithm: Algorithm) {
    this.#prefix = `gnl${process.pid}${algorithm === 'BATMAN_V' ? 'v' : 'i'}`
    for (const node of NODES) run('ip', 'netns', 'add', this.#name(node))
    for (const node of NODES) {
      this.in(node, 'ip', 'link', 'set', 'lo', 'up')
      this.in(node, 'batctl', 'meshif', 'bat0', 'interface', 'create', 'routing_algo', algorithm)
      this.batctl(node, 'orig_interval', '200')
      this.batctl(node, 'bridge_loop_avoidance', '0')
    }
    for (const [one, oneEnd, other, otherEnd] of this.#links) {
      run('ip', '-n', this.#name(one), 'link', 'add', oneEnd, 'type', 'veth', 'peer', 'name', otherEnd, 'netns', this.#name(other))
      for (const [node, end] of [[one, oneEnd] as const, [other, otherEnd] as const]) {
        this.in(node, 'ip', 'link', 'set', end, 'up')
        this.batctl(node, 'interface', '-M', 'add', end)
      }
    }
    for (const [index, node] of NODES.entries()) {
      this.in(node, 'ip', 'link', 'set', 'bat0', 'up')
      this.in(node, 'ip', 'address', 'add', `10.77.0.${index + 1}/24`, 'dev', 'bat0')
    }
  }

  in(node: NodeName, command: string, ...args: string[]): string {
    return run('ip', 'netns', 'exec', this.#name(node), command, ...args)
  }

  batctl(node: NodeName, ...args: string[]): string {
    return this.in(node, 'batctl', 'meshif', 'bat0', ...args)
  }

  address(node: NodeName, link: string): string {
    return this.in(node, 'cat', `/sys/class/net/${link}/address`).trim()
  }

  path(node: NodeName): string {
    return `/run/netns/${this.#name(node)}`
  }

  remove(): void {
    for (const node of NODES) runAnyway('ip', 'netns', 'del', this.#name(node))
  }

  #name(node: NodeName): string {
    return `${this.#prefix}${node}`
  }
}
