/**
 * The service as the package starts it: not root, with the capabilities of the package's own file and no others, unable to
 * gain more, in folders as the init script leaves them. Against the real kernel: gate, rates, and saving the settings.
 */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionsJson, StatusJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { PORTAL, boxConfig } from '../support/box-config.ts'
import { Town, isRoot, type Host } from '../support/netns.ts'
import { Phone } from '../support/phone.ts'
import { boxFiles, startService, type BoxFiles, type Service } from '../support/town-services.ts'

const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), '../../openwrt-feed/meshbox')
/** The user of the package's Makefile. */
const USER = Number(/USERID:=meshbox=(\d+)/.exec(readFileSync(join(PACKAGE, 'Makefile'), 'utf8'))?.[1])
const CAPABILITIES = (JSON.parse(readFileSync(join(PACKAGE, 'files/etc/capabilities/meshbox.json'), 'utf8')) as { ambient: string[] }).ambient

/** What procd's jail does with the capabilities file, `user`, `group` and `no_new_privs`. */
function confined(host: Host, capabilities: readonly string[]): Host {
  const set = ['-all', ...capabilities.map((name) => `+${name.replace('CAP_', '').toLowerCase()}`)].join(',')
  const setpriv = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', `--inh-caps=${set}`, `--ambient-caps=${set}`, `--bounding-set=${set}`, '--no-new-privs']
  return { run: (command, args = [], options = {}) => host.run(command, args, options), spawn: (command, args = [], options = {}) => host.spawn('setpriv', [...setpriv, command, ...args], options) }
}

/** `status` ends with an exit code of its own when something wants attention. */
async function gateState(service: Service): Promise<string> {
  return (JSON.parse((await service.cli('--json', 'status')).stdout) as StatusJson).gate.state
}

describe.skipIf(!isRoot())('the service without root (needs root to leave it)', () => {
  let town: Town
  let files: BoxFiles
  let service: Service
  let phone: Phone

  /** /etc/config is root's, the rest is the service's: what /etc/init.d/meshbox makes ready. */
  function layOut(dir: string): BoxFiles {
    chmodSync(dir, 0o755)
    mkdirSync(join(dir, 'run'))
    mkdirSync(join(dir, 'etc'))
    const made = { ...boxFiles(dir), confDir: join(dir, 'run/dnsmasq'), optionsFile: join(dir, 'run/dnsmasq/options'), socket: join(dir, 'run/control.sock'), config: join(dir, 'etc/meshbox') }
    mkdirSync(made.confDir)
    writeFileSync(made.config, boxConfig(made))
    writeFileSync(join(dir, 'etc/.meshbox.spare'), '')
    for (const path of [made.dataDir, join(dir, 'run'), made.confDir, made.config, join(dir, 'etc/.meshbox.spare')]) chownSync(path, USER, USER)
    chmodSync(made.config, 0o600)
    return made
  }

  beforeAll(async () => {
    town = await Town.create({ guests: 1, addresses: 'static' })
    files = layOut(mkdtempSync(join(tmpdir(), 'meshbox-privileges-')))
    service = await startService(confined(town.box, CAPABILITIES), files)
    const [guest] = town.guests
    if (guest === undefined) throw new Error('no guest')
    phone = new Phone(guest)
  })
  afterAll(async () => {
    await service?.stop()
    await town?.destroy()
    if (files !== undefined) rmSync(files.dir, { recursive: true, force: true })
  })

  it('has one capability, and no way to more', () => {
    const status = readFileSync(`/proc/${service.process.pid}/status`, 'utf8')
    const field = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? ''
    expect(CAPABILITIES).toEqual(['CAP_NET_ADMIN'])
    expect(field('Uid').split(/\s+/)).toEqual(Array.from({ length: 4 }, () => String(USER)))
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(Number.parseInt(field(set), 16), set).toBe(1 << 12)
    expect(field('NoNewPrivs')).toBe('1')
  })

  it('has its gate ready and opens it for a guest who pays, with rates', async () => {
    expect(await gateState(service)).toBe('ready')
    const [voucher] = (await service.cliJson<VoucherCreateReply>('voucher', 'create', 'slow', '1', '--codes')).vouchers
    expect((await phone.submit(PORTAL.replace('wifi.meshbox.lan', '10.77.0.1'), '/redeem', { code: voucher?.code ?? '' })).status).toBe(303)
    const { sessions } = await service.cliJson<SessionsJson>('sessions', 'list')
    expect(sessions.map((one) => one.state)).toEqual(['active'])
    expect(await town.box.must('nft', 'list', 'set', 'inet', 'meshbox', 'paid')).toMatch(/expires/)
    expect(await town.box.must('tc', 'class', 'show', 'dev', 'br-guest')).toMatch(/class htb/)
  })

  it('saves the settings into a file of a folder that is not its own', async () => {
    const before = statSync(files.config)
    const changed = await service.cli('tariff', 'set', '--price-per-minute', '0.25')
    expect(changed.stderr).toBe('')
    expect(readFileSync(files.config, 'utf8')).toMatch(/price_per_minute '?0\.25/)
    const after = statSync(files.config)
    expect([after.ino, after.uid, after.mode]).toEqual([before.ino, USER, before.mode])
  })

  it('would have no gate without that capability', async () => {
    const other = layOut(mkdtempSync(join(tmpdir(), 'meshbox-privileges-none-')))
    const lonely = await Town.create({ guests: 0, addresses: 'static' })
    try {
      const failed = await startService(confined(lonely.box, []), other).then(
        async (started) => {
          const state = await gateState(started)
          await started.stop()
          return state
        },
        () => 'did not start',
      )
      expect(failed).not.toBe('ready')
    } finally {
      await lonely.destroy()
      rmSync(other.dir, { recursive: true, force: true })
    }
  })
})
