/**
 * A watcher that throws at its first event. In a namespace of its own, which ends with this process.
 * Usage: node throwing-watcher.ts <addon>. Needs root.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { loadGenetlink } from '../../../../src/native/index.ts'

const name = `gnl-throw-${process.pid}-${randomBytes(2).toString('hex')}`
const ip = (...args: string[]): void => void execFileSync('ip', args)
process.on('exit', () => spawnSync('ip', ['netns', 'del', name]))
ip('netns', 'add', name)
const netlink = await loadGenetlink(process.argv[2] ?? '').open({ namespacePath: `/run/netns/${name}` })
const throwing = {
  onMessage: () => {
    throw new Error('on purpose')
  },
  onLost: () => undefined,
}
await netlink.watch(await netlink.family('netdev'), 'mgmt', throwing)
ip('-n', name, 'link', 'add', 'first', 'type', 'veth', 'peer', 'name', 'second')
