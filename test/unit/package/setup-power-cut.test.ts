/**
 * The power goes while the networks are being put in or taken out: everything that runs is killed at the n-th call of uci,
 * what lay in memory is gone, and the same is done again. In the end it is as if nothing had happened.
 */
import { chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REPOSITORY, RouterRoot } from './router-root.ts'

const FILES = join(REPOSITORY, 'openwrt-feed/meshbox/files')
const NETWORKS = ['network', 'wireless', 'dhcp', 'firewall']
/** Kills all processes of this machine at call $LIMIT; before that it is uci. */
const CUT = `#!/bin/sh
echo x >> /var/run/calls
[ "$(wc -l < /var/run/calls)" -lt "$(cat /var/run/limit)" ] || kill -9 -1
exec /sbin/uci "$@"
`

describe.skipIf(process.getuid?.() !== 0)('a power cut (needs root)', () => {
  let router: RouterRoot
  beforeEach(() => {
    router = new RouterRoot()
    for (const part of ['etc', 'lib', 'usr']) cpSync(join(FILES, part), join(router.path, part), { recursive: true })
    for (const script of ['setup', 'dnsmasq-link']) chmodSync(join(router.path, 'usr/lib/meshbox', script), 0o755)
    router.write('usr/sbin/uci', CUT, 0o755)
    router.write('var/run/limit', '1000000')
  })
  afterEach(() => router.remove())

  /** True when the script came to its end before the cut. */
  const runUntil = (call: number, command: string): boolean => {
    const done = router.live(`echo ${call} > /var/run/limit; : > /var/run/calls; ${command} && echo finished`)
    router.must('echo 1000000 > /var/run/limit; rm -rf /tmp/.uci')
    return done.stdout.includes('finished')
  }
  const meaning = (): string[] => NETWORKS.map((name) => router.must(`uci export ${name}`))

  it.each([3, 52, 93, 120])('at call %i of putting in', (call) => {
    const fresh = meaning()
    expect(runUntil(call, '/usr/lib/meshbox/setup apply')).toBe(false)
    router.must('/usr/lib/meshbox/setup apply')
    const whole = router.configs()
    expect(router.uci('network.guest.device')).toBe('br-guest')
    expect(router.uci('firewall.meshbox_portal.dest_port')).toBe('2080 2443 2081')
    expect(router.uci('wireless.meshbox_radio1.isolate')).toBe('1')
    router.must('/usr/lib/meshbox/setup apply')
    expect(router.configs()).toEqual(whole)
    router.must('/usr/lib/meshbox/setup remove')
    expect(meaning()).toEqual(fresh)
  })

  it.each([1, 4, 9])('at call %i of taking out', (call) => {
    const fresh = router.configs()
    router.must('/usr/lib/meshbox/setup apply')
    expect(runUntil(call, '/usr/lib/meshbox/setup remove')).toBe(false)
    router.must('/usr/lib/meshbox/setup remove')
    for (const name of NETWORKS) expect(router.configs()[name], name).toBe(fresh[name])
  })
})
