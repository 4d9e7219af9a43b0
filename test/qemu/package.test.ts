/**
 * The package on the emulated ARM router, from first to last: the three lines of the README on a router as it comes,
 * the wizard from the owner's laptop, an upgrade under way, a removal that leaves the router's networks as they were.
 */
import { copyFileSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DASHBOARD_PORT, HOST_ADDRESS, LAN_ADDRESS, OWNER_PASSWORD, packageFor, WAN_NETWORK } from '../../qemu/router.ts'
import { ROOT, say } from '../../qemu/image/places.ts'
import { serveFeed, type Feed } from './feed.ts'
import type { SessionsJson, StatusJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { servicePid, phonesCommand, plugPhones } from './measures.ts'
import { makeTown, type Town } from './town.ts'

const DOOR = `http://${LAN_ADDRESS}:${DASHBOARD_PORT}`
const LAPTOP = '192.168.1.50'
/** Node is in the image; the feed that has it for boards is another's, and not asked. */
const NODE_FEED = 'http://downloads.nxhack.com/releases/$DISTRIB_RELEASE/packages/$DISTRIB_ARCH/node'
const INSTALL_SECONDS = 420
const NETWORK_FILES = ['network', 'wireless', 'dhcp', 'firewall']

describe('the package on an emulated ARM router', () => {
  let town: Town
  let networkBefore = ''
  let feed: Feed
  let lines: readonly string[]

  beforeAll(async () => {
    town = await makeTown('bare', WAN_NETWORK)
    const { file } = town.made.package
    const architecture = basename(dirname(file))
    feed = await serveFeed(architecture, [file, ...globSync(join(dirname(file), 'luci-app-meshbox_*.ipk'))])
    lines = readmeLines(`http://${HOST_ADDRESS}:${feed.port}`)
    await town.router.machine.sh('until ip route | grep -q "^default .*eth1"; do sleep 0.2; done')
  })
  afterAll(async () => {
    await town?.destroy()
    feed?.close()
  })

  /** What README.md tells an owner to type, with the feed in it. */
  function readmeLines(address: string): string[] {
    const chapter = /^## On a router\n(.*?)^## /ms.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? ''
    const typed = (/^```sh\n(.*?)^```/ms.exec(chapter)?.[1] ?? '').trim()
    expect(typed).toContain(NODE_FEED)
    return typed.replace(NODE_FEED, 'FEED/node').replaceAll('FEED', address).split('\n')
  }

  const networkFiles = (): Promise<string> => town.router.machine.sh(`cd /etc/config; for file in ${NETWORK_FILES.join(' ')}; do [ ! -e $file ] || sha256sum $file; done`)
  const laptop = async (path: string, body?: unknown): Promise<{ status: number; body: string }> => {
    const sent = body === undefined ? '' : `-H 'origin: ${DOOR}' -H 'content-type: application/json' -d '${JSON.stringify(body)}'`
    const stdout = await town.router.machine.sh(`ip netns exec laptop curl -s --max-time 60 -w '\\n%{http_code}' ${sent} ${DOOR}${path}`)
    const at = stdout.lastIndexOf('\n')
    return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) }
  }

  it('is refused where it does not belong', async () => {
    copyFileSync(town.made.package.file, join(town.router.machine.share, 'wrong.ipk'))
    await town.router.machine.sh('mkdir -p /tmp/other/etc /tmp/other/usr/lib/opkg && printf "dest root /\\narch all 1\\narch mips_24kc 10\\n" > /tmp/other/etc/opkg.conf')
    const { code, stdout, stderr } = await town.router.machine.exec('opkg -f /tmp/other/etc/opkg.conf -o /tmp/other install /host/wrong.ipk')
    expect(code).not.toBe(0)
    expect(stdout + stderr).toMatch(/architecture/i)
  })

  it('comes from no feed but the one whose key the owner added', async () => {
    expect(lines).toHaveLength(3)
    const opkg = async (command: string): Promise<{ code: number; text: string }> => {
      const { code, stdout, stderr } = await town.router.machine.exec(`opkg ${command}`, INSTALL_SECONDS)
      return { code, text: stdout + stderr }
    }
    const folder = basename(dirname(town.made.package.file))
    // One shell, as for an owner: the first line sets what the second uses.
    await town.router.machine.sh(`${lines[0]}\n${lines[1]}`)
    expect((await town.router.machine.sh('ls /etc/opkg/keys; cat /etc/opkg/customfeeds.conf')).trim().split('\n')).toHaveLength(4)

    const index = feed.read(`${folder}/Packages.gz`)
    feed.swap(`${folder}/Packages.gz`, gzipSync(gunzipSync(index).toString('utf8').replace(/^Depends:.*$/m, 'Depends: libc')))
    expect((await opkg('update')).text).toContain('Signature check failed.')
    expect(await opkg('install meshbox')).toMatchObject({ code: 255, text: expect.stringContaining("Unknown package 'meshbox'") as string })

    feed.swap(`${folder}/Packages.gz`, 'own')
    feed.swap(`${folder}/Packages.sig`, 'none')
    expect(await opkg('update')).toMatchObject({ code: 255, text: expect.stringContaining('Signature file download failed.') as string })
    expect((await opkg('install meshbox')).text).toContain("Unknown package 'meshbox'")

    feed.swap(`${folder}/Packages.sig`, 'own')
    const name = `${folder}/${basename(town.made.package.file)}`
    const altered = Buffer.from(feed.read(name))
    altered[altered.length >> 1] = (altered[altered.length >> 1] as number) ^ 1
    feed.swap(name, altered)
    expect(await opkg('update')).toMatchObject({ code: 0 })
    expect(await opkg('install meshbox')).toMatchObject({ code: 255, text: expect.stringContaining('Checksum or size mismatch for package meshbox_') as string })
    expect(await town.router.machine.sh('opkg list-installed meshbox; ls -d /usr/lib/meshbox /etc/config/meshbox 2> /dev/null; true')).toBe('')
    feed.swap(name, 'own')
  })

  it('installs by the README\'s lines, and its service starts by its init script', async () => {
    networkBefore = await networkFiles()
    const startedAt = performance.now()
    const { stdout } = await town.router.machine.exec(lines[2] as string, INSTALL_SECONDS)
    say(`opkg: ${stdout.trim().split('\n').join(' | ')}`)
    expect(stdout).toContain('Configuring luci-app-meshbox')
    await town.router.ready()
    // Twenty seconds are enough for a board, not always for an emulated one: then the owner asks again.
    const again = (lines[2] as string).split('&&').at(-1) as string
    const status = stdout.includes('Set-up code') ? stdout : (await town.router.machine.exec(again)).stdout
    const { setupCode = 'none' } = await town.router.owner<StatusJson>('GET', '/api/console-status')
    expect(status).toContain(`Set-up code: ${setupCode}`)
    say(`installed and answering after ${((performance.now() - startedAt) / 1000).toFixed(1)} s (first start: keys, compile cache)`)
    expect(Number(await town.router.machine.sh(`stat -c %u /proc/${await servicePid(town.router)}`))).toBeGreaterThan(0)
    expect(await town.router.machine.sh('opkg list-installed meshbox')).toContain(`meshbox - ${town.made.package.version}`)
    expect((await town.router.guestBridge()).address).toMatch(/^10\./)
    expect(await networkFiles()).not.toBe(networkBefore)
  })

  it('is set up by the wizard from the owner\'s laptop, and only with the code from the console', async () => {
    await town.router.town(`plug laptop eth0 ${LAPTOP}/24 ${LAN_ADDRESS}`)
    expect(JSON.parse((await laptop('/api/login')).body)).toMatchObject({ state: 'setup' })
    const { setupCode = '' } = await town.router.owner<StatusJson>('GET', '/api/console-status')
    const request = { setupCode, name: 'Laptop Box', minutesPerToken: 10, password: OWNER_PASSWORD, packages: 'cafe' }
    expect((await laptop('/api/setup', { ...request, setupCode: 'AAAA-AAAA' })).status).toBe(401)
    expect(await laptop('/api/setup', request)).toMatchObject({ status: 200 })
    expect(await laptop('/api/login', { password: OWNER_PASSWORD })).toMatchObject({ status: 200 })
    expect(await town.router.machine.sh('uci get meshbox.main.name')).toBe('Laptop Box\n')
  })

  it('keeps sessions, vouchers and settings through an upgrade', async () => {
    const phones = await plugPhones(town.router, 2)
    await town.router.machine.sh(await phonesCommand(town.router, phones, { what: 'fill', packageId: 'day' }))
    const before = await town.router.owner<SessionsJson>('GET', '/api/sessions?state=open')
    expect(before.sessions).toHaveLength(2)
    const { vouchers } = await town.router.cli<VoucherCreateReply>('voucher', 'create', 'hour', '1', '--codes')
    const pid = await servicePid(town.router)

    const next = packageFor(town.made.image.architecture, town.made.package.version.replace(/-r\d+$/, '-r99'))
    await town.router.install(next.file)
    await town.router.ready()
    expect(await servicePid(town.router)).not.toBe(pid)
    expect(await town.router.machine.sh('opkg list-installed meshbox')).toContain(next.version)
    expect(await town.router.machine.sh('uci get meshbox.main.name')).toBe('Laptop Box\n')
    const after = await town.router.owner<SessionsJson>('GET', '/api/sessions?state=open')
    expect(after.sessions.map(({ id, paid }) => ({ id, paid }))).toEqual(before.sessions.map(({ id, paid }) => ({ id, paid })))
    const kept = await town.router.owner<{ vouchers: { code: string }[] }>('GET', '/api/vouchers?state=unused')
    expect(kept.vouchers.map((voucher) => voucher.code)).toContain(vouchers[0]?.code)
    expect(await laptop('/api/login', { password: OWNER_PASSWORD })).toMatchObject({ status: 200 })
    say(`upgraded to ${basename(next.file)} under two sessions`)
  })

  it('leaves the networks byte for byte as they were when it is removed', async () => {
    await town.router.machine.sh('opkg remove luci-app-meshbox meshbox 2>&1', 300)
    expect(await networkFiles()).toBe(networkBefore)
    expect((await town.router.machine.sh('nft list tables')).includes('meshbox')).toBe(false)
    expect(await town.router.machine.sh(`grep -la 'meshboxd[.]cjs' /proc/[0-9]*/cmdline 2> /dev/null; ls /usr/lib/meshbox /etc/init.d/meshbox 2> /dev/null; true`)).toBe('')
    // Books and keys are the owner's: only `setup purge --yes` erases them.
    expect(await town.router.machine.sh('ls /etc/meshbox')).toContain('meshbox.sqlite')
  })
})
