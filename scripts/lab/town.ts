/** Where a running lab is found by `make guest`, and how the developer's own machine is joined to it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram, type Town } from '../../test/support/netns.ts'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const STATE = join(ROOT, '.lab/town.json')

/** The owner's network of the lab: this machine has .1, the box .2. */
export const OWNER_NET = { machine: '10.78.0.1', box: '10.78.0.2', prefix: 30 } as const
/** This machine as one more guest. */
export const MACHINE_AS_GUEST = '10.77.0.2'

export interface LabState {
  readonly pid: number
  readonly guests: readonly string[]
  readonly box: string
  /** The lab's control socket. */
  readonly control: string
  /** Address of the live page. */
  readonly live: string
}

export function writeState(state: LabState): void {
  mkdirSync(dirname(STATE), { recursive: true })
  writeFileSync(STATE, `${JSON.stringify(state, null, 2)}\n`)
}

export function removeState(): void {
  rmSync(STATE, { force: true })
}

export function readState(): LabState | null {
  try {
    const state = JSON.parse(readFileSync(STATE, 'utf8')) as LabState
    process.kill(state.pid, 0) // throws when that lab is gone
    return state
  } catch {
    return null // no lab, or one that was killed
  }
}

/** What a lab that was killed left behind: it would answer at this one's addresses. */
export async function removeFormerTown(): Promise<void> {
  const words = async (...args: string[]): Promise<string[]> => (await runProgram('ip', args)).stdout.split(/\s+/)
  for (const owner of (await words('-br', 'addr', 'show', 'to', OWNER_NET.machine)).filter((word) => /^mbo[0-9a-z]{6}@/.test(word))) {
    const suffix = owner.slice(3, 9)
    for (const name of (await words('netns', 'list')).filter((word) => word.includes(`${suffix}-`))) {
      for (const pid of (await words('netns', 'pids', name)).filter((word) => word !== '')) killProcess(Number(pid))
      await runProgram('ip', ['netns', 'del', name])
    }
    for (const cable of [`mbo${suffix}`, `mbg${suffix}`]) await runProgram('ip', ['link', 'del', cable])
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it ended by itself
  }
}

/** Two cables to this machine: one to the owner's network, one to the guests' bridge. */
export async function joinThisMachine(town: Town): Promise<void> {
  const suffix = town.prefix.slice(-6)
  const ip = async (...args: string[]): Promise<void> => {
    const result = await runProgram('ip', args)
    if (result.code !== 0) throw new Error(`ip ${args.join(' ')}: ${result.stderr.trim()}`)
  }
  const owner = `mbo${suffix}`
  await ip('link', 'add', owner, 'type', 'veth', 'peer', 'name', 'owner', 'netns', town.box.name)
  await ip('addr', 'add', `${OWNER_NET.machine}/${OWNER_NET.prefix}`, 'dev', owner)
  await ip('link', 'set', owner, 'up')
  await town.box.ip('addr', 'add', `${OWNER_NET.box}/${OWNER_NET.prefix}`, 'dev', 'owner')
  await town.box.ip('link', 'set', 'owner', 'up')
  const guest = `mbg${suffix}`
  await ip('link', 'add', guest, 'type', 'veth', 'peer', 'name', 'you', 'netns', town.box.name)
  await ip('addr', 'add', `${MACHINE_AS_GUEST}/24`, 'dev', guest)
  await ip('link', 'set', guest, 'up')
  await town.box.ip('link', 'set', 'you', 'master', 'br-guest')
  await town.box.ip('link', 'set', 'you', 'up')
}
