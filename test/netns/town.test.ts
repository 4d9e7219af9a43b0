/**
 * The whole hotspot as guests meet it: the bundled service as its own process, real nftables, dnsmasq, DHCP,
 * router advertisements, in network namespaces. portal.md 2.4, 2.7–2.10 and section 6 name what is tried.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { EarningsJson, SessionJson, SessionsJson, StatusJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { PORTAL, boxConfig } from '../support/box-config.ts'
import { faketimeLibrary } from '../support/fake-time.ts'
import { TOWN, Town, isRoot } from '../support/netns.ts'
import { Phone } from '../support/phone.ts'
import { boxFiles, dhcp, slaac, socketRequest, startBoxDnsmasq, startInternet, startService, waitFor, type BoxFiles, type Service } from '../support/town-services.ts'

const SHOP = 'http://shop.example/'
const PROBES = [
  'http://connectivitycheck.gstatic.com/generate_204',
  'http://www.gstatic.com/generate_204',
  'http://www.google.com/gen_204',
  'http://play.googleapis.com/generate_204',
  'http://captive.apple.com/hotspot-detect.html',
  'http://www.msftconnecttest.com/connecttest.txt',
  'http://ipv6.msftconnecttest.com/connecttest.txt',
  'http://detectportal.firefox.com/canonical.html',
  'http://detectportal.firefox.com/success.txt',
  'http://nmcheck.gnome.org/check_network_status.txt',
  'http://connectivity-check.ubuntu.com/',
  'http://spectrum.s3.amazonaws.com/kindle-wifi/wifistub.html',
]

describe.skipIf(!isRoot())('a town with one box (needs root)', () => {
  let town: Town
  let files: BoxFiles
  let service: Service
  let dir = ''
  const phones: Phone[] = []
  const phone = (index: number): Phone => phones[index - 1] as Phone

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'meshbox-town-'))
    town = await Town.create({ guests: 4, addresses: 'dynamic' })
    files = boxFiles(dir)
    writeFileSync(files.config, boxConfig(files))
    await startInternet(town, dir)
    service = await startService(town.box, files)
    await socketRequest(files.socket, 'POST', '/api/password', { password: 'town-test-owner' })
    await startBoxDnsmasq(town, files)
    for (const guest of town.guests) {
      await dhcp(guest, files)
      await slaac(guest)
      phones.push(new Phone(guest))
    }
  })
  afterAll(async () => {
    await service?.stop()
    await town?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  const vouchers = async (packageId: string, count = 1): Promise<string[]> =>
    (await service.cliJson<VoucherCreateReply>('voucher', 'create', packageId, String(count), '--codes')).vouchers.map((voucher) => voucher.code)
  const sessions = async (): Promise<readonly SessionJson[]> => (await service.cliJson<SessionsJson>('sessions', 'list')).sessions.filter((one) => one.state !== 'ended')
  const sessionOf = async (who: Phone): Promise<SessionJson | undefined> => (await sessions()).find((one) => one.devices.some((device) => device.mac === who.guest.mac))
  const pay = async (who: Phone, packageId: string): Promise<string> => {
    const [code = ''] = await vouchers(packageId)
    expect((await who.submit(PORTAL, '/redeem', { code })).status).toBe(303)
    return code
  }
  const endAll = async (): Promise<void> => {
    for (const one of await sessions()) await service.cliJson('sessions', 'kick', one.id)
  }
  const passes = async (who: Phone): Promise<{ v4: boolean; v6: boolean }> => ({ v4: await who.isOnline(4, TOWN.internet4), v6: await who.isOnline(6, TOWN.internet6) })
  /** Sends marked UDP datagrams to the Internet's counter and asks on that side how many came. */
  const arrived = async (who: Phone, marker: string, source?: string): Promise<number> => {
    const bind = source === undefined ? '' : `s.bind((${JSON.stringify(source)}, 0)); `
    const script = (address: string, family: string): string =>
      `import socket\ns=socket.socket(socket.${family}, socket.SOCK_DGRAM); ${bind}\nfor i in range(5): s.sendto(b${JSON.stringify(marker)}, (${JSON.stringify(address)}, 9000))`
    await who.guest.ns.run('python3', ['-c', script(TOWN.internet4, 'AF_INET')])
    if (source === undefined) await who.guest.ns.run('python3', ['-c', script(TOWN.internet6, 'AF_INET6')])
    await new Promise((resolve) => setTimeout(resolve, 150))
    const asked = await town.internet.must('python3', '-c', `import socket\ns=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3); s.sendto(b"count?${marker}", ("127.0.0.1", 9000)); print(s.recv(99).decode())`)
    return Number(asked.trim())
  }

  afterEach(endAll)

  it('captures every probe of every system, over IPv4 and IPv6', async () => {
    for (const url of PROBES) {
      for (const family of [4, 6] as const) {
        const answer = await phone(1).ask(url, { family })
        expect({ url, family, status: answer.status, to: answer.headers['location']?.startsWith(PORTAL) }).toEqual({ url, family, status: 302, to: true })
        expect(answer.headers['cache-control']).toContain('no-store')
        expect(answer.body.length).toBeGreaterThan(4)
      }
    }
  })

  it('lets no packet pass unpaid', async () => {
    expect(await passes(phone(1))).toEqual({ v4: false, v6: false })
    expect(await arrived(phone(1), 'unpaid')).toBe(0)
    expect((await phone(1).ask('https://shop.example/', { timeoutSeconds: 4 })).code).toBe(7) // refused, not timed out
    expect((await phone(1).guest.ns.run('curl', ['-s', '--max-time', '3', `telnet://${TOWN.internet4}:7`], { input: 'x\n' })).code).not.toBe(0)
    const outside = await phone(1).guest.ns.run('busybox', ['nslookup', 'shop.example', TOWN.internet4], { timeoutMs: 6000 })
    expect(outside.code).not.toBe(0) // another resolver than the box's
    const inside = await phone(1).guest.ns.run('busybox', ['nslookup', 'shop.example', TOWN.box4], { timeoutMs: 6000 })
    expect(inside.stdout).toContain(TOWN.internet4) // DNS stays honest
  })

  it('keeps guests off the owner side and the other ports of the box', async () => {
    for (const port of [2090, 22, 8080]) expect((await phone(1).ask(`http://${TOWN.box4}:${port}/`, { timeoutSeconds: 2 })).status).toBe(0)
    await pay(phone(1), 'long')
    for (const port of [2090, 22]) expect((await phone(1).ask(`http://${TOWN.box4}:${port}/`, { timeoutSeconds: 2 })).status).toBe(0)
  })

  it('opens at payment, shows the time, and the kernel cuts off at the end', async () => {
    await pay(phone(1), 'short')
    expect(await passes(phone(1))).toEqual({ v4: true, v6: true })
    for (const url of PROBES) {
      const answer = await phone(1).ask(url)
      expect({ url, ok: answer.status === 200 || answer.status === 204 }).toEqual({ url, ok: true })
    }
    const shown = await phone(1).open(PORTAL)
    expect(shown.status).toBe(200)
    expect(await sessionOf(phone(1))).toMatchObject({ state: 'active' })
    await waitFor('the end of six seconds', async () => (await sessionOf(phone(1))) === undefined, 12_000)
    expect(await passes(phone(1))).toEqual({ v4: false, v6: false })
    expect((await phone(1).ask(SHOP)).status).toBe(302)
  })

  it('cuts an established connection at the end, in both directions', async () => {
    await pay(phone(1), 'short')
    // Ten lines a second to the Internet's echo; prints how many came back, and why it ended.
    const echo = phone(1).guest.ns.spawn('python3', ['-uc', `import socket, time
s=socket.create_connection((${JSON.stringify(TOWN.internet4)}, 7), 5); s.settimeout(0.5); n=0
try:
    while True:
        s.sendall(b"x")
        try: n+=len(s.recv(9)); print(n)
        except TimeoutError: continue # the end came between question and answer: the next question is refused
        time.sleep(0.1)
except OSError as e: print("ended", e)`])
    let said = ''
    echo.stdout?.on('data', (chunk: Buffer) => { said += chunk.toString() })
    await waitFor('the echo to run', () => said.includes('20\n'), 10_000)
    await waitFor('the connection to be cut', () => said.includes('ended'), 15_000)
    expect(Number(said.trim().split('\n').at(-2))).toBeLessThanOrEqual(62) // six seconds' worth, and not one more
    expect(said).toContain('reset') // at once, not after minutes of silence
  })

  it('tells a mistyped code from a wrong one, and bounds guessing', async () => {
    const [code = ''] = await vouchers('long')
    const last = code.at(-1) === '0' ? '1' : '0'
    expect((await phone(2).submit(PORTAL, '/redeem', { code: code.slice(0, -1) + last })).status).toBe(400)
    const statuses: number[] = []
    for (let i = 0; i < 8; i++) {
      const made = ['AAAAA-AAAAA', '22222-22222', '7KQ2M-9XWPD', 'ZZZZZ-ZZZZZ'][i % 4] ?? ''
      statuses.push((await phone(2).submit(PORTAL, '/redeem', { code: made })).status)
    }
    expect(statuses.every((status) => status >= 400 && status < 500)).toBe(true)
    expect(await passes(phone(2))).toEqual({ v4: false, v6: false })
    // Another device is not held up by the guesser.
    expect((await phone(3).submit(PORTAL, '/redeem', { code })).status).toBe(303)
    expect((await phone(3).isOnline(4, TOWN.internet4))).toBe(true)
  })

  it('sells a voucher once, to one device at a time', async () => {
    const code = await pay(phone(1), 'long')
    expect((await phone(3).submit(PORTAL, '/redeem', { code })).status).toBe(303) // the bearer moves
    expect(await passes(phone(3))).toEqual({ v4: true, v6: true })
    expect(await passes(phone(1))).toEqual({ v4: false, v6: false }) // and the older device is out
    expect((await sessions()).length).toBe(1)
    await endAll()
    expect((await phone(4).submit(PORTAL, '/redeem', { code })).status).toBe(409)
  })

  it('serves two devices on a package for two', async () => {
    const code = await pay(phone(1), 'pair')
    expect((await phone(3).submit(PORTAL, '/redeem', { code })).status).toBe(303)
    expect(await passes(phone(1))).toEqual({ v4: true, v6: true })
    expect(await passes(phone(3))).toEqual({ v4: true, v6: true })
  })

  it('moves to another device by ticket; the ticket works once', async () => {
    await pay(phone(1), 'long')
    const move = await phone(1).open(`${PORTAL}move`)
    const ticket = /\/t\/([A-Za-z0-9_-]+)/.exec(move.body)?.[0] ?? ''
    expect(ticket).not.toBe('')
    const target = new URL(ticket, PORTAL).href
    expect((await phone(3).submit(target, '/redeem')).status).toBe(303)
    expect(await passes(phone(3))).toEqual({ v4: true, v6: true })
    expect(await passes(phone(1))).toEqual({ v4: false, v6: false })
    expect((await phone(4).open(target)).status).toBe(409) // the link says so before anything is pressed
    expect((await phone(4).submit(PORTAL, '/redeem', { code: ticket.slice(3) })).status).toBe(409)
    expect(await passes(phone(4))).toEqual({ v4: false, v6: false })
    expect(await passes(phone(3))).toEqual({ v4: true, v6: true })
  })

  it('does not let one guest ride on another: forged address, forged MAC, both', async () => {
    const victim = phone(1)
    const thief = phone(3)
    await pay(victim, 'long')
    const keepAlive = victim.guest.ns.spawn('ping', ['-i', '0.3', '-q', TOWN.internet4])
    const stolen4 = (await victim.guest.ns.ip('-4', '-o', 'addr', 'show', 'dev', 'eth0')).match(/inet ([\d.]+)/)?.[1] ?? ''
    try {
      await thief.guest.ns.ip('addr', 'add', `${stolen4}/24`, 'dev', 'eth0')
      expect(await arrived(thief, 'forged-ip', stolen4)).toBe(0)
      await thief.guest.ns.ip('link', 'set', 'eth0', 'address', victim.guest.mac)
      expect(await arrived(thief, 'forged-both', stolen4)).toBe(0)
      expect(await victim.isOnline(4, TOWN.internet4)).toBe(true)
    } finally {
      keepAlive.kill('SIGKILL')
      await thief.guest.ns.ip('link', 'set', 'eth0', 'address', thief.guest.mac)
      await thief.guest.ns.ip('addr', 'del', `${stolen4}/24`, 'dev', 'eth0')
      // An advertisement that came while he wore her MAC gave him her IPv6 address too.
      await thief.guest.ns.ip('-6', 'addr', 'flush', 'dev', 'eth0', 'scope', 'global')
    }
    await waitFor('the alarm', async () => (await service.cliJson<StatusJson>('status')).alarms.some((alarm) => alarm.kind === 'duplicate-mac' || alarm.kind === 'forged-address'), 15_000)
    await dhcp(thief.guest, files)
    expect(await slaac(thief.guest)).not.toBe(await slaac(victim.guest))
  })

  it('pauses without charging and goes on', async () => {
    await pay(phone(1), 'long')
    expect((await phone(1).submit(PORTAL, '/pause')).status).toBe(303)
    expect(await passes(phone(1))).toEqual({ v4: false, v6: false })
    const left = (await sessionOf(phone(1)))?.secondsLeft
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect((await sessionOf(phone(1)))?.secondsLeft).toBe(left)
    expect((await phone(1).submit(PORTAL, '/resume')).status).toBe(303)
    expect(await passes(phone(1))).toEqual({ v4: true, v6: true })
  })

  it('stops at the bought bytes, both families together', async () => {
    await pay(phone(1), 'data')
    const got = async (family: 4 | 6, address: string, bytes: number): Promise<number> => {
      const result = await phone(1).guest.ns.run('curl', ['-s', `-${family}`, '--max-time', '8', '-o', '/dev/null', '-w', '%{size_download}', `http://${address}/big?bytes=${bytes}`])
      return Number(result.stdout)
    }
    const first = await got(6, `[${TOWN.internet6}]`, 700_000)
    expect(first).toBe(700_000)
    const second = await got(4, TOWN.internet4, 5_000_000)
    expect(first + second).toBeLessThanOrEqual(2_097_152)
    expect(first + second).toBeGreaterThan(2_097_152 - 250_000) // headers, acks and one packet of overshoot
    await waitFor('the session to end for its bytes', async () => (await service.cliJson<SessionsJson>('sessions', 'list', '--all')).sessions[0]?.endReason === 'bytes-used', 10_000)
    expect((await phone(1).isOnline(4, TOWN.internet4))).toBe(false)
  })

  it('holds the bought rate', async () => {
    await pay(phone(1), 'slow')
    const started = performance.now()
    const result = await phone(1).guest.ns.run('curl', ['-s', '--max-time', '20', '-o', '/dev/null', '-w', '%{size_download}', `http://${TOWN.internet4}/big?bytes=1500000`], { timeoutMs: 25_000 })
    const kbps = (Number(result.stdout) * 8) / (performance.now() - started)
    expect(kbps).toBeGreaterThan(900)
    expect(kbps).toBeLessThan(2400)
  })

  it('repairs its table when somebody flushes it; the guest stays, the stranger does not get in', async () => {
    await pay(phone(1), 'long')
    await town.box.must('nft', 'flush', 'ruleset')
    await waitFor('our table', async () => (await town.box.run('nft', ['list', 'table', 'inet', 'meshbox'])).code === 0, 3000)
    await waitFor('the paid guest', () => phone(1).isOnline(4, TOWN.internet4), 5000)
    expect(await passes(phone(3))).toEqual({ v4: false, v6: false })
    expect((await service.cliJson<StatusJson>('status')).gate.repairs).toBeGreaterThan(0)
  })

  it('sells without the Internet', async () => {
    await town.setUplink('down')
    try {
      await pay(phone(1), 'long')
      expect(await sessionOf(phone(1))).toMatchObject({ state: 'active' })
    } finally {
      await town.setUplink('up')
    }
    await waitFor('the way out', () => phone(1).isOnline(4, TOWN.internet4), 10_000)
  })

  it('outlives a crash of the service; nobody outlives his lease', async () => {
    await pay(phone(1), 'long')
    const before = (await sessionOf(phone(1)))?.secondsLeft ?? 0
    await service.crash()
    expect(await phone(1).isOnline(4, TOWN.internet4)).toBe(true) // the kernel holds the lease
    expect(await phone(3).isOnline(4, TOWN.internet4)).toBe(false)
    await waitFor('the lease to run out', async () => !(await phone(1).isOnline(4, TOWN.internet4)), 12_000)
    expect(await passes(phone(1))).toEqual({ v4: false, v6: false })
    service = await startService(town.box, files)
    expect(await passes(phone(1))).toEqual({ v4: true, v6: true })
    const after = (await sessionOf(phone(1)))?.secondsLeft ?? 0
    expect(after).toBeLessThanOrEqual(before)
    expect(after).toBeGreaterThan(before - 60)
  })

  it('counts the same with the wall clock ten years off, either way', async () => {
    await pay(phone(1), 'long')
    for (const jump of ['-10y', '+10y']) {
      const left = (await sessionOf(phone(1)))?.secondsLeft ?? 0
      await service.stop()
      service = await startService(town.box, files, { LD_PRELOAD: faketimeLibrary(), FAKETIME: jump, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' })
      const now = await service.cliJson<StatusJson>('status')
      expect(Math.abs(now.clock.wallMs - Date.now())).toBeGreaterThan(9 * 365 * 86_400_000) // the clock really is off
      const after = (await sessionOf(phone(1)))?.secondsLeft ?? 0
      expect(after).toBeLessThanOrEqual(left)
      expect(after).toBeGreaterThan(left - 60)
      expect(await passes(phone(1))).toEqual({ v4: true, v6: true })
    }
    await service.stop()
    service = await startService(town.box, files)
  })

  it('gives one free trial a day to a device', async () => {
    expect((await phone(4).submit(PORTAL, '/trial')).status).toBe(303)
    expect(await passes(phone(4))).toEqual({ v4: true, v6: true })
    await endAll()
    const page = await phone(4).open(PORTAL)
    expect(page.body).not.toContain('action="/trial')
  })

  it('reads its configuration again on SIGHUP and says what needs a restart; a bad file changes nothing', async () => {
    writeFileSync(files.config, boxConfig(files, { main: { name: 'Renamed Box' }, hotspot: { lease_seconds: '9' } }))
    service.process.kill('SIGHUP')
    await waitFor('the new name', () => service.log().includes('lease_seconds'), 5000)
    expect((await phone(2).open(PORTAL)).body).toContain('Renamed Box')
    writeFileSync(files.config, "config hotspot 'hotspot'\n\toption gaet 'nft'\n")
    service.process.kill('SIGHUP')
    await waitFor('the refusal', () => /not changed.*gaet/.test(service.log()), 5000)
    expect((await phone(2).open(PORTAL)).body).toContain('Renamed Box')
    writeFileSync(files.config, boxConfig(files))
    service.process.kill('SIGHUP')
  })

  it('has a book that balances with what was sold', async () => {
    const report = await service.cliJson<EarningsJson>('earnings')
    expect(JSON.stringify(report)).toContain('hotspot')
    const result = await service.cli('backup', join(dir, 'copy.sqlite'))
    expect(result.code).toBe(0)
    const sum = await town.box.must('python3', '-c', `import sqlite3\nc=sqlite3.connect(${JSON.stringify(join(dir, 'copy.sqlite'))})\nprint(c.execute("pragma integrity_check").fetchone()[0])`)
    expect(sum.trim()).toBe('ok')
  })
})
