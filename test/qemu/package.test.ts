/**
 * The package on the emulated ARM router, from first to last: opkg install on a router as it comes, the wizard
 * from the owner's laptop, an upgrade under way, a removal that leaves the router's networks as they were.
 */
import { copyFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DASHBOARD_PORT, LAN_ADDRESS, OWNER_PASSWORD, packageFor } from '../../qemu/router.ts'
import { say } from '../../qemu/image/places.ts'
import type { SessionsJson, StatusJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { servicePid, phonesCommand, plugPhones } from './measures.ts'
import { makeTown, type Town } from './town.ts'

const DOOR = `http://${LAN_ADDRESS}:${DASHBOARD_PORT}`
const LAPTOP = '192.168.1.50'
const NETWORK_FILES = ['network', 'wireless', 'dhcp', 'firewall']

describe('the package on an emulated ARM router', () => {
  let town: Town
  let networkBefore = ''

  beforeAll(async () => {
    town = await makeTown('bare')
  })
  afterAll(async () => {
    await town?.destroy()
  })

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

  it('installs, and its service starts by its init script', async () => {
    networkBefore = await networkFiles()
    const startedAt = performance.now()
    say(`opkg install: ${(await town.router.install(town.made.package.file)).trim().split('\n').join(' | ')}`)
    await town.router.ready()
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
    await town.router.machine.sh('opkg remove meshbox 2>&1', 300)
    expect(await networkFiles()).toBe(networkBefore)
    expect((await town.router.machine.sh('nft list tables')).includes('meshbox')).toBe(false)
    expect(await town.router.machine.sh(`grep -la 'meshboxd[.]cjs' /proc/[0-9]*/cmdline 2> /dev/null; ls /usr/lib/meshbox /etc/init.d/meshbox 2> /dev/null; true`)).toBe('')
    // Books and keys are the owner's: only `setup purge --yes` erases them.
    expect(await town.router.machine.sh('ls /etc/meshbox')).toContain('meshbox.sqlite')
  })
})
