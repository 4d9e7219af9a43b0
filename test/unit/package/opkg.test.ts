/**
 * The packages in the hands of opkg (the stand-in of qemu/openwrt: Debian has no opkg): first in an offline root, then
 * on a machine of its own that runs the scripts, the init script and what it starts.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeLuci, describeService } from '../../../scripts/package/describe.ts'
import { indexFeed } from '../../../scripts/package/feed.ts'
import { buildIpk, ipkName } from '../../../scripts/package/ipk.ts'
import { keyName, newSigningKey, publicKeyText } from '../../../scripts/package/usign.ts'
import { RouterRoot, type Ran } from './router-root.ts'
import { EPOCH, sampleBuild } from './sample.ts'

const ARCHITECTURE = 'aarch64_cortex-a53'
const OTHERS = ['procd-ujail', 'nftables-json', 'kmod-nft-bridge', 'kmod-sched-core', 'tc-tiny', 'ip-full', 'conntrack', 'curl', 'kmod-batman-adv', 'batctl-default', 'mosquitto-ssl', 'luci-base', 'libc']
const NETWORKS = ['network', 'wireless', 'dhcp', 'firewall']
/** The user of the package's Makefile. */
const USER = 6420

let packages = ''
const bytes = new Map<string, Buffer>()
beforeAll(() => {
  packages = mkdtempSync(join(tmpdir(), 'meshbox-packages-'))
  const build = sampleBuild(join(packages, 'dist'), ARCHITECTURE)
  // Says who it is and waits: what the real one needs is tried in test/netns/privileges.test.ts and in the emulator.
  writeFileSync(join(build.dist, 'meshboxd'), '#!/bin/sh\ngrep -E "^(Uid|CapEff|NoNewPrivs):" /proc/self/status > /etc/meshbox/seen\necho "$*" "$NODE_COMPILE_CACHE" >> /etc/meshbox/seen\nexec sleep 1000\n')
  for (const [version, changed] of [['0.1.0-r1', build], ['0.2.0-r1', build]] as const) {
    const service = describeService(changed, version)
    bytes.set(ipkName(service.about), buildIpk(service.about, service.contents, EPOCH))
  }
  const luci = describeLuci('0.1.0-r1')
  bytes.set(ipkName(luci.about), buildIpk(luci.about, luci.contents, EPOCH))
  const other = describeService(sampleBuild(join(packages, 'arm'), 'arm_cortex-a7_neon-vfpv4'), '0.1.0-r1')
  bytes.set(ipkName(other.about), buildIpk(other.about, other.contents, EPOCH))
})
afterAll(() => rmSync(packages, { recursive: true, force: true }))

let router: RouterRoot
beforeEach(() => {
  router = new RouterRoot()
  router.write('etc/opkg.conf', `dest root /\nlists_dir ext /var/opkg-lists\narch all 1\narch noarch 1\narch ${ARCHITECTURE} 10\n`)
  for (const [name, one] of bytes) writeFileSync(join(router.path, 'tmp', name), one)
})
afterEach(() => router.remove())

const declare = (node = '22.23.2-r1', root = '/'): void =>
  void router.must([...OTHERS.map((name) => `opkg-declare -o ${root} ${name} 1-r1`), `opkg-declare -o ${root} node127 ${node} node`].join(' && '))
const SERVICE = `/tmp/meshbox_0.1.0-r1_${ARCHITECTURE}.ipk`
const NEWER = `/tmp/meshbox_0.2.0-r1_${ARCHITECTURE}.ipk`
const networks = (): Record<string, string> => Object.fromEntries(Object.entries(router.configs()).filter(([name]) => NETWORKS.includes(name)))

describe('in an offline root, as an image is built', () => {
  // Where nothing is mounted, df does not know how much room there is.
  const opkg = (...words: string[]): Ran => router.run(`opkg -f /target/etc/opkg.conf -o /target --force-space ${words.join(' ')}`)
  beforeEach(() => {
    router.must('mkdir -p /target/tmp /target/var/lock && cp -R /etc /lib /target/')
  })

  it('is refused without what it depends on', () => {
    const done = opkg('install', SERVICE)
    expect(done.code).toBe(255)
    expect(done.stderr).toMatch(/node/)
    expect(router.has('target/usr/lib/meshbox')).toBe(false)
  })

  it('is refused with a Node that is too old', () => {
    declare('20.20.2-r1', '/target')
    expect(opkg('install', SERVICE).code).toBe(255)
    expect(router.has('target/usr/lib/meshbox')).toBe(false)
  })

  it('is refused on another processor', () => {
    declare('22.23.2-r1', '/target')
    const done = opkg('install', '/tmp/meshbox_0.1.0-r1_arm_cortex-a7_neon-vfpv4.ipk')
    expect(done.code).toBe(255)
    expect(done.stderr).toMatch(/architecture/i)
    expect(router.has('target/usr/lib/meshbox')).toBe(false)
  })

  it('is installed, upgraded, downgraded and removed without running anything', () => {
    declare('22.23.2-r1', '/target')
    const fresh = router.must('cat /target/etc/config/*')
    for (const words of [['install', SERVICE], ['install', NEWER], ['install', '--force-downgrade', SERVICE]]) {
      const done = opkg(...words)
      expect([words, done.code, done.stderr]).toEqual([words, 0, ''])
      expect(opkg('list-installed', 'meshbox').stdout).toContain(/_(\d[^_]*)_/.exec(words.at(-1) ?? '')?.[1])
    }
    // Left for the first boot.
    expect(router.has('target/etc/uci-defaults/90-meshbox')).toBe(true)
    expect(router.has('target/etc/meshbox-setup')).toBe(false)
    expect(opkg('remove', 'meshbox').code).toBe(0)
    expect(router.must('cat /target/etc/config/*')).toBe(fresh)
    expect(router.must('find /target -name "*meshbox*" ! -path "/target/etc/rc.d/*"')).toBe('')
  })

  it('comes from a signed feed, and not from one that was tampered with', () => {
    router.addProgram('/usr/bin/signify-openbsd', 'usr/bin/signify-openbsd')
    const key = newSigningKey()
    const feed = new Map([...bytes].filter(([name]) => !name.includes('arm_')))
    const index = indexFeed(feed, key)
    mkdirSync(join(router.path, 'feed'))
    for (const [name, one] of feed) writeFileSync(join(router.path, 'feed', name), one)
    writeFileSync(join(router.path, 'feed/Packages.gz'), index.compressed)
    router.write('feed/Packages', index.packages)
    router.write('feed/Packages.sig', index.signature)
    router.write('etc/opkg/customfeeds.conf', 'src/gz meshbox file:///feed\n')
    router.write('etc/opkg.conf', `${router.read('etc/opkg.conf')}option check_signature\n`)
    // opkg drops such a list, says so, and ends with 0; what is not listed cannot be installed.
    expect(said(router.run('opkg update'))).toMatch(/[Ss]ignature/)
    expect(router.must('opkg list')).not.toContain('meshbox')
    router.write(`etc/opkg/keys/${keyName(key)}`, publicKeyText(key))
    const updated = router.run('opkg update')
    expect(updated.stderr).toBe('')
    expect(updated.code).toBe(0)
    expect(router.must('opkg list')).toMatch(/^meshbox - 0\.2\.0-r1/m)
    router.write('feed/Packages.sig', indexFeed(feed, newSigningKey()).signature)
    expect(said(router.run('opkg update'))).toMatch(/[Ss]ignature/)
    expect(router.must('opkg list')).not.toContain('meshbox')
  })
})

/** opkg says most things on standard output. */
const said = (done: { readonly stdout: string; readonly stderr: string }): string => done.stdout + done.stderr

describe.skipIf(process.getuid?.() !== 0)('on a machine of its own (needs root)', () => {
  beforeEach(() => {
    router.addProgram('/usr/bin/setpriv', 'usr/bin/setpriv')
    router.must('ln -sf /bin/busybox /bin/setsid')
    declare()
  })
  const must = (script: string): string => {
    const done = router.live(`set -e\n${script}`)
    if (done.code !== 0) throw new Error(`exit ${done.code}\n${done.stdout}\n${done.stderr}`)
    return done.stdout
  }
  /** Waits inside until the service has said who it is, in four lines. */
  const SEEN = 'for i in $(seq 200); do [ "$(cat /etc/meshbox/seen 2> /dev/null | wc -l)" != 4 ] || break; sleep 0.1; done'

  it('is installed: user, networks, service with one capability, all of it its own', () => {
    const said = must(`opkg install ${SERVICE} /tmp/luci-app-meshbox_0.1.0-r1_all.ipk\n${SEEN}\ncat /etc/meshbox/seen\n/etc/init.d/meshbox running && echo it-runs\n/etc/init.d/meshbox enabled && echo starts-at-boot`)
    expect(said).toMatch(new RegExp(`Uid:\\s+${USER}\\s+${USER}`))
    expect(said).toMatch(/CapEff:\s+0000000000001000/)
    expect(said).toMatch(/NoNewPrivs:\s+1/)
    expect(said).toContain('--config /etc/config/meshbox /usr/lib/meshbox/cache')
    expect(said).toContain('it-runs')
    expect(said).toContain('starts-at-boot')
    expect(router.read('etc/passwd')).toMatch(/^meshbox:x:6420:6420:/m)
    expect(router.has('etc/uci-defaults/90-meshbox')).toBe(false)
    expect(router.uci('network.guest.device')).toBe('br-guest')
    for (const [path, mode, uid] of [
      ['etc/config/meshbox', 0o600, USER],
      ['etc/config/.meshbox.spare', 0o600, USER],
      ['etc/meshbox', 0o700, USER],
      ['usr/lib/meshbox/cache', 0o700, USER],
      ['var/run/meshbox', 0o700, USER],
      ['etc/meshbox-setup', 0o700, 0],
      ['usr/lib/meshbox/meshboxd', 0o755, 0],
      ['usr/lib/meshbox/service.cjs', 0o644, 0],
    ] as const) {
      const found = statSync(join(router.path, path))
      expect([path, found.mode & 0o7777, found.uid]).toEqual([path, mode, uid])
    }
    expect(router.must('readlink /var/run/meshbox.sock; readlink /etc/meshbox/run; readlink /usr/bin/meshbox')).toBe('/var/run/meshbox/control.sock\n/var/run/meshbox/work\n../lib/meshbox/meshbox\n')
  })

  it('is upgraded and downgraded with the owner’s settings, the book, and the same networks', () => {
    must(`opkg install ${SERVICE}\nuci set meshbox.main.name='My Place'\nuci commit meshbox\necho money > /etc/meshbox/meshbox.sqlite`)
    const before = router.configs()
    for (const [words, version] of [[`install ${NEWER}`, '0.2.0-r1'], [`install --force-downgrade ${SERVICE}`, '0.1.0-r1']] as const) {
      must(`opkg ${words}`)
      expect(router.must('opkg list-installed meshbox')).toContain(version)
      const { 'meshbox-opkg': offered, ...now } = router.configs()
      expect(now).toEqual(before)
      expect(offered ?? '').not.toContain('My Place')
      expect(router.read('etc/meshbox/meshbox.sqlite')).toBe('money\n')
    }
  })

  it('is removed: the networks byte for byte as they were, nothing of it left but settings and book', () => {
    const before = networks()
    must(`opkg install ${SERVICE} /tmp/luci-app-meshbox_0.1.0-r1_all.ipk\n${SEEN}\necho money > /etc/meshbox/meshbox.sqlite`)
    expect(networks()).not.toEqual(before)
    const said = must('opkg remove luci-app-meshbox meshbox 2>&1')
    expect(said).toContain('stay in /etc/meshbox')
    expect(networks()).toEqual(before)
    expect(router.read('etc/meshbox/meshbox.sqlite')).toBe('money\n')
    const left = router.must('find / -xdev -name "*meshbox*" ! -path "/tmp/*" ! -path "/proc/*" ! -path "/var/lock/*"').trim().split('\n').sort()
    expect(left).toEqual(['/etc/config/meshbox', '/etc/meshbox', '/etc/meshbox/meshbox.sqlite'])
    expect(router.has('etc/meshbox-setup')).toBe(false)
  })

  it('gives the service its configuration back when root has committed a change', () => {
    must(`opkg install ${SERVICE}`)
    expect(statSync(join(router.path, 'etc/config/meshbox')).uid).toBe(USER)
    must("uci set meshbox.main.name='By root'\nuci commit meshbox\n/etc/init.d/meshbox reload || true")
    expect(statSync(join(router.path, 'etc/config/meshbox')).uid).toBe(USER)
    expect(statSync(join(router.path, 'etc/config/meshbox')).mode & 0o777).toBe(0o600)
  })

  it('waits for a disk that is not there, and starts on one that is', () => {
    must(`opkg install ${SERVICE}\n/etc/init.d/meshbox stop\nuci set meshbox.main.data_dir=/mnt/sda1/meshbox\nuci commit meshbox`)
    const without = router.live('/etc/init.d/meshbox start; /etc/init.d/meshbox running && echo it-runs')
    expect(without.stderr).toContain('the disk for /mnt/sda1/meshbox is not there')
    expect(without.stdout).toBe('')
    expect(router.has('mnt/sda1/meshbox')).toBe(false)
    expect(must('mkdir -p /mnt/sda1\nmount -t tmpfs -o mode=755 disk /mnt/sda1\n/etc/init.d/meshbox start\nstat -c %u:%a /mnt/sda1/meshbox')).toBe(`${USER}:700\n`)
  })

  it('makes no file its own that a taken-over service points it at', () => {
    must(`opkg install ${SERVICE}\n/etc/init.d/meshbox stop\nmkdir -p /srv/open\nchmod 777 /srv/open\nln -s /etc /srv/meshbox\nmkdir -p /srv/full/meshbox\necho root > /srv/full/meshbox/secret`)
    const owners = (): string => router.must('ls -ldn /etc /etc/* /usr/lib/meshbox /usr/lib/meshbox/* /srv/full/meshbox/secret /tmp | awk \'{ print $3, $NF }\'')
    const before = owners()
    for (const [folder, reason] of [
      ['/etc', 'must be a folder named meshbox'],
      ['/mnt/../meshbox', 'no . and .. parts'],
      ['/tmp/meshbox', '/tmp must be a folder of root'],
      ['/srv/open/meshbox', '/srv/open must be a folder of root'],
      ['/srv/meshbox', '/srv/meshbox is a link'],
      ['/srv/meshbox/meshbox', '/srv/meshbox must be a folder of root'],
      ['/usr/lib/meshbox', 'holds things that are not the service'],
      ['/srv/full/meshbox', 'holds things that are not the service'],
    ] as const) {
      const done = router.live(`chmod 1777 /tmp; uci set meshbox.main.data_dir='${folder}'; uci commit meshbox; /etc/init.d/meshbox start; /etc/init.d/meshbox running && echo it-runs`)
      expect([folder, done.stderr]).toEqual([folder, expect.stringContaining(reason)])
      expect(done.stdout).toBe('')
    }
    expect(owners()).toBe(before)
  })

  it('gives a restored key to the service, and no file that has another name elsewhere', () => {
    must(`opkg install ${SERVICE}\n/etc/init.d/meshbox stop\necho key > /etc/meshbox/identity.key\nln /etc/shadow /etc/meshbox/stolen\nln -s /etc/passwd /etc/meshbox/linked\n/etc/init.d/meshbox start`)
    const owner = (path: string): number => statSync(join(router.path, path)).uid
    expect([owner('etc/meshbox/identity.key'), owner('etc/shadow'), owner('etc/passwd')]).toEqual([USER, 0, 0])
  })

  it('writes the mark of the clock without following where the service points', () => {
    must(`opkg install ${SERVICE}\necho precious > /etc/precious\nln -sf /etc/precious /var/run/meshbox/ntp-synchronized\nACTION=stratum sh /etc/hotplug.d/ntp/90-meshbox`)
    expect(router.read('etc/precious')).toBe('precious\n')
    expect(router.must('[ -e /var/run/meshbox/ntp-synchronized ] && echo marked; ACTION=unsync sh /etc/hotplug.d/ntp/90-meshbox; [ -e /var/run/meshbox/ntp-synchronized ] || echo gone')).toBe('marked\ngone\n')
  })

  it('finds a socket for a configuration that was copied from elsewhere', () => {
    must(`opkg install ${SERVICE}\n/etc/init.d/meshbox stop\nprintf "config meshbox 'main'\\n\\toption name 'Café'\\n" > /etc/config/meshbox\n/etc/init.d/meshbox start`)
    expect(router.uci('meshbox.main.control_socket')).toBe('/var/run/meshbox/control.sock')
    expect(router.uci('meshbox.main.name')).toBe('Café')
  })
})
