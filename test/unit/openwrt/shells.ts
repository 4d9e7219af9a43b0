/** Runs the stand-in's scripts on this machine in two worlds: busybox with its own tools, and dash with this machine's. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const STAND_IN = resolve(import.meta.dirname, '../../../qemu/openwrt')

export type World = 'busybox' | 'dash'
export const WORLDS: readonly World[] = ['busybox', 'dash']

export interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A folder with a link to busybox for each of its applets. */
export function busyboxLinks(folder: string): string {
  if (existsSync(folder)) return folder
  const busybox = execFileSync('sh', ['-c', 'command -v busybox || true'], { encoding: 'utf8' }).trim()
  if (busybox === '') throw new Error('busybox is not installed: scripts/setup.sh test')
  mkdirSync(folder, { recursive: true })
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n'))
    if (applet !== '' && applet !== 'busybox') symlinkSync(busybox, join(folder, applet))
  return folder
}

/** Runs a script of the stand-in with one of the two shells. `first` comes first in the search path. */
export function run(world: World, folder: string, script: string, args: readonly string[], options: { input?: string; first?: string; detached?: boolean } = {}): Result {
  const base = '/usr/sbin:/usr/bin:/sbin:/bin'
  const path = world === 'busybox' ? `${busyboxLinks(join(folder, 'applets'))}:${base}` : base
  const shell = world === 'busybox' ? [join(folder, 'applets', 'ash')] : ['/usr/bin/dash']
  const done = spawnSync(shell[0] ?? '', [join(STAND_IN, script), ...args], {
    encoding: 'utf8',
    input: options.input ?? '',
    env: { PATH: options.first === undefined ? path : `${options.first}:${path}` },
    ...(options.detached === true ? { detached: true } : {}),
  })
  if (done.error) throw done.error
  return { code: done.status, out: done.stdout, err: done.stderr }
}
