/** A network namespace of its own, nft in it, and our door to its nf_tables. Needs root. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { loadNfnetlink } from '../../src/native/index.ts'
import type { NfElement, NfEvent, Nfnetlink, NfnetlinkDoor } from '../../src/native/index.ts'
import { runProgram } from '../support/netns.ts'
import type { RunResult } from '../support/netns.ts'

export class NfPlace {
  readonly name: string
  readonly path: string
  readonly addon: string
  readonly door: NfnetlinkDoor
  readonly nf: Nfnetlink
  readonly #others: Nfnetlink[] = []

  static async create(): Promise<NfPlace> {
    await buildNative('host', undefined, { only: ['nfnetlink'] })
    return new NfPlace()
  }

  private constructor() {
    this.name = `mbnf-${randomBytes(4).toString('hex')}`
    this.path = `/run/netns/${this.name}`
    this.addon = addonPath('host', 'nfnetlink')
    const door = loadNfnetlink(this.addon)
    if (door === null) throw new Error('the addon has no door')
    this.door = door
    execFileSync('ip', ['netns', 'add', this.name])
    this.nf = this.another()
  }

  /** One more door to the same namespace. */
  another(): Nfnetlink {
    const nf = this.door.open({ namespacePath: this.path })
    this.#others.push(nf)
    return nf
  }

  run(command: string, ...args: string[]): Promise<RunResult> {
    return runProgram('ip', ['netns', 'exec', this.name, command, ...args])
  }

  /** Commands, after `-j` for JSON. Throws with nft's words when it fails. */
  async nft(...commands: string[]): Promise<string> {
    const flags = commands[0] === '-j' ? ['-j'] : []
    const { code, stdout, stderr } = await this.run('nft', ...flags, commands.slice(flags.length).join('\n'))
    if (code !== 0) throw new Error(stderr)
    return stdout
  }

  /** While the loop stands still. */
  nftAtOnce(command: string): void {
    execFileSync('ip', ['netns', 'exec', this.name, 'nft', command])
  }

  /** Elements of a set or map of the table `t`, as nft's JSON shows them. */
  async elements(family: string, set: string): Promise<unknown[]> {
    const { nftables } = JSON.parse(await this.nft('-j', `list table ${family} t`)) as { nftables: Record<string, { name: string; elem?: unknown[] }>[] }
    return nftables.map((item) => item['set'] ?? item['map']).find((body) => body?.name === set)?.elem ?? []
  }

  /** All there is, without what changes by itself. */
  async ruleset(): Promise<string> {
    return (await this.nft('list ruleset')).replaceAll(/expires \S+/g, '')
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#others.map((nf) => nf.close()))
    execFileSync('ip', ['netns', 'del', this.name])
  }
}

/** Collects what a watch tells, and waits for it. */
export class Told {
  readonly events: NfEvent[] = []
  losses = 0
  #wake: (() => void)[] = []

  readonly watcher = {
    onEvents: (events: readonly NfEvent[]): void => {
      this.events.push(...events)
      this.#tell()
    },
    onLost: (): void => {
      this.losses++
      this.#tell()
    },
  }

  async until(isThere: () => boolean): Promise<void> {
    while (!isThere()) await new Promise<void>((resolve) => this.#wake.push(resolve))
  }

  /** Until so many transactions have been told. */
  generations(count: number): Promise<void> {
    return this.until(() => this.events.filter((event) => event.kind === 'generation').length >= count)
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

/** An element with these fields, and nothing else. */
export function plainElement(fields: Partial<NfElement> & Pick<NfElement, 'key'>): NfElement {
  return { keyEnd: null, value: null, object: null, timeoutMs: null, expiresMs: null, counter: null, quota: null, isIntervalEnd: false, isCatchAll: false, ...fields }
}

/** The error a promise ends with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}
