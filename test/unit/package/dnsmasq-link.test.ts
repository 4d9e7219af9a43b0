/**
 * What the service may say to dnsmasq, which reads its settings as root: the real script, Debian's dnsmasq as the judge of
 * what comes out, and a service that tries to slip in what it must not.
 */
import { chmodSync, cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dnsmasqOptions, dnsmasqSnippet } from '../../../src/hotspot/gate/dnsmasq.ts'
import { REPOSITORY, RouterRoot } from './router-root.ts'

const FOLDER = 'tmp/dnsmasq.cfg01411c.d'
const NAMES = `${FOLDER}/meshbox.conf`
const OPTIONS = `${FOLDER}/.meshbox-options`

let router: RouterRoot
beforeEach(() => {
  router = new RouterRoot()
  cpSync(join(REPOSITORY, 'openwrt-feed/meshbox/files/usr/lib/meshbox/dnsmasq-link'), join(router.path, 'usr/lib/meshbox/dnsmasq-link'), { recursive: true })
  chmodSync(join(router.path, 'usr/lib/meshbox/dnsmasq-link'), 0o755)
  const dnsmasq = ['/usr/sbin/dnsmasq', '/usr/bin/dnsmasq'].find((path) => existsSync(path))
  if (dnsmasq === undefined) throw new Error('dnsmasq is missing: apt-get install dnsmasq-base')
  router.addProgram(dnsmasq, 'usr/sbin/dnsmasq')
  router.write('var/etc/dnsmasq.conf.cfg01411c', `user=dnsmasq\nconf-dir=/${FOLDER},*.conf\n`)
  router.write(`${FOLDER}/other.conf`, '')
  router.write('etc/meshbox-setup/names', 'interface=guest\nbridge=br-guest\n')
  // They only note that they were called.
  router.write('etc/init.d/dnsmasq', '#!/bin/sh\necho "$1" >> /tmp/calls\n', 0o755)
  router.write('usr/sbin/ubus', '#!/bin/sh\necho "ubus $4" >> /tmp/calls\n', 0o755)
})
afterEach(() => router.remove())

const says = (names: string, options: string): void => {
  router.write('var/run/meshbox/dnsmasq/meshbox.conf', names)
  router.write('var/run/meshbox/dnsmasq/options', options)
}
const once = (): void => void router.must('/usr/lib/meshbox/dnsmasq-link once')
const calls = (): string => (router.has('tmp/calls') ? router.read('tmp/calls') : '')

describe('what the service writes', () => {
  const names = dnsmasqSnippet({ portalHost: 'wifi.meshbox.lan', routerAddresses: ['10.77.0.1', 'fd00:77::1'], gardenDomains: ['example.org', 'pay.example.com'] })

  it('goes over whole, and dnsmasq takes it', () => {
    says(names, dnsmasqOptions('https://wifi.example.org/captive-portal/api'))
    once()
    const lines = router.read(NAMES).split('\n')
    for (const line of names.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) expect(lines).toContain(line)
    expect(router.run(`dnsmasq --test --conf-file=/${NAMES}`).code).toBe(0)
    expect(calls()).toBe('restart\n')
  })

  it('is told to guests only', () => {
    says(names, dnsmasqOptions('https://wifi.example.org/captive-portal/api'))
    once()
    expect(router.read(OPTIONS)).toBe('tag:guest,114,https://wifi.example.org/captive-portal/api\ntag:guest,option6:103,https://wifi.example.org/captive-portal/api\n')
  })

  it('disturbs dnsmasq only for what is new, and only as much as it must', () => {
    says(names, '')
    once()
    once()
    expect(calls()).toBe('restart\n')
    says(names, dnsmasqOptions('https://wifi.example.org/api'))
    once()
    expect(calls()).toBe('restart\nubus {"name":"dnsmasq","signal":1}\n')
    says(names, '')
    once()
    expect(router.read(OPTIONS)).toBe('')
  })

  it('is taken away again', () => {
    says(names, '')
    once()
    router.must('/usr/lib/meshbox/dnsmasq-link remove')
    expect([router.has(NAMES), router.has(OPTIONS), router.has(`${FOLDER}/other.conf`)]).toEqual([false, false, true])
  })
})

describe('a service that was taken over', () => {
  it.each([
    ['a program that dnsmasq would run as root', 'dhcp-script=/tmp/evil\n'],
    ['another file to read', 'conf-file=/tmp/evil\nconf-dir=/tmp\nservers-file=/tmp/evil\n'],
    ['a name that is not the portal’s', 'address=/#/10.77.0.1\nserver=6.6.6.6\n'],
    ['a line with more behind it', 'host-record=wifi.meshbox.lan,10.77.0.1 \ndhcp-script=/tmp/evil\n'],
    ['another table', 'nftset=/example.org/4#inet#fw4#paid,6#inet#fw4#paid\n'],
  ])('cannot hand on %s', (_what, line) => {
    says(line, '')
    once()
    expect(router.read(NAMES).split('\n').filter((one) => one !== '' && !one.startsWith('#'))).toEqual([`dhcp-optsfile=/${FOLDER}/.meshbox-options`])
  })

  it.each(['6,6.6.6.6', 'tag:lan,114,https://x.example/', '114,http://x.example/', '114,https://x.example/ a', '114,https://x.example/"', '3,10.77.0.66', 'option:router,10.77.0.66'])('cannot give DHCP option %s', (line) => {
    says('', `${line}\n`)
    once()
    expect(router.read(OPTIONS)).toBe('')
  })
})

it('leaves the walled garden out where dnsmasq was built without it, which would not start', () => {
  router.write('usr/sbin/dnsmasq', '#!/bin/sh\n[ "$1" = --version ] && echo "Compile time options: IPv6 DHCP no-nftset auth"\nexit 0\n', 0o755)
  says(dnsmasqSnippet({ portalHost: 'wifi.meshbox.lan', routerAddresses: ['10.77.0.1'], gardenDomains: ['example.org'] }), '')
  once()
  expect(router.read(NAMES)).toContain('host-record=wifi.meshbox.lan,10.77.0.1')
  expect(router.read(NAMES)).not.toContain('nftset')
})

it('keeps what dnsmasq has when the new text is not to its liking', () => {
  says('host-record=wifi.meshbox.lan,10.77.0.1\n', '')
  once()
  const before = router.read(NAMES)
  says(`host-record=${'a'.repeat(64)}.lan,10.77.0.1\n`, '')
  once()
  expect(router.read(NAMES)).toBe(before)
  expect(calls()).toBe('restart\n')
})

it('does nothing on a router without dnsmasq’s folder', () => {
  router.must('rm /var/etc/dnsmasq.conf.cfg01411c')
  says('host-record=wifi.meshbox.lan,10.77.0.1\n', '')
  once()
  expect(calls()).toBe('')
})
