/**
 * `make firmware` as its user meets it. The ImageBuilder here is a small folder of ours with the documented face of
 * OpenWrt's (`make info`, `make image`, repositories.conf, .config, packages/), carried out by the real make: that proves
 * how we call it, not that an image boots (docs/firmware.md).
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OVERLAY, checkOverlay } from '../../../firmware/overlay.ts'

const BUILD = resolve(import.meta.dirname, '../../../firmware/build.ts')
const ARCH = 'aarch64_cortex-a53'
const FEED = `src/gz meshbox_node http://downloads.nxhack.com/releases/24.10.4/packages/${ARCH}/node`
const MAKEFILE = `
info:
	@echo 'Current Target: "$(shell cat target)"'
	@echo 'Current Architecture: "aarch64"'
	@echo 'Available Profiles:'
	@echo
	@echo 'glinet_gl-mt3000:'
	@echo '    GL.iNet GL-MT3000'
	@echo '    Packages: kmod-usb3'
image:
	@printf '%s\\n' 'PROFILE=$(PROFILE)' 'PACKAGES=$(PACKAGES)' 'FILES=$(FILES)' 'BIN_DIR=$(BIN_DIR)' 'EXTRA_IMAGE_NAME=$(EXTRA_IMAGE_NAME)' 'ADD_LOCAL_KEY=$(ADD_LOCAL_KEY)' 'ROOTFS_PARTSIZE=$(ROOTFS_PARTSIZE)' 'MAKEFLAGS=$(MAKEFLAGS)' > called
	@test ! -e fail
	@test -e lazy || touch $(BIN_DIR)/openwrt-24.10.4-meshbox-mediatek-filogic-$(PROFILE)-squashfs-sysupgrade.bin
.PHONY: info image
`
const REPOSITORIES = `## Place your custom repositories here, they must match the architecture and version.
# src/gz custom https://example.org/$A

## Remote package repositories
src/gz openwrt_core https://downloads.openwrt.org/releases/24.10.4/targets/mediatek/filogic/packages
src/gz openwrt_base https://downloads.openwrt.org/releases/24.10.4/packages/${ARCH}/base

## This is the local package repository, do not remove!
src imagebuilder file:packages
option check_signature
`

let folder: string
let builder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-firmware-'))
  builder = join(folder, 'imagebuilder')
  mkdirSync(join(builder, 'packages'), { recursive: true })
  put('Makefile', MAKEFILE)
  put('target', 'mediatek/filogic\n')
  put('repositories.conf', REPOSITORIES)
  put('.config', `CONFIG_TARGET_mediatek=y\nCONFIG_TARGET_ARCH_PACKAGES="${ARCH}"\n`)
  put('packages/libc_1.2.5-r4_aarch64_cortex-a53.ipk', 'libc')
  mkdirSync(join(folder, 'ipks'))
  writeFileSync(join(folder, 'ipks', `meshbox_0.1.0-r1_${ARCH}.ipk`), 'service')
  writeFileSync(join(folder, 'ipks/luci-app-meshbox_0.1.0-r1_all.ipk'), 'pages')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const put = (name: string, text: string): void => writeFileSync(join(builder, name), text)
const read = (name: string): string => readFileSync(join(builder, name), 'utf8')

function firmware(settings: Readonly<Record<string, string>>): { code: number | null; out: string; err: string } {
  const done = spawnSync(process.execPath, [BUILD], { encoding: 'utf8', env: { PATH: process.env['PATH'], ...settings } })
  return { code: done.status, out: done.stdout, err: done.stderr }
}
const withBuilder = (settings: Readonly<Record<string, string>> = {}) =>
  firmware({ PROFILE: 'gl-mt3000', IMAGEBUILDER: builder, IPKS: join(folder, 'ipks'), OUTPUT: join(folder, 'out'), ...settings })
function refused(settings: Readonly<Record<string, string>>, words: string | RegExp): void {
  const { code, err } = withBuilder(settings)
  expect(err).toMatch(words)
  expect(code).toBe(1)
  expect(existsSync(join(builder, 'called'))).toBe(false)
}

describe('without an ImageBuilder', () => {
  it('checks and prints the command', () => {
    const { code, out, err } = firmware({ PROFILE: 'rpi-4', OPTIONS: 'lora' })
    expect([err, code]).toEqual(['', 0])
    expect(out).toContain('all known for bcm27xx/bcm2711')
    expect(out).toMatch(/^make image PROFILE=rpi-4 PACKAGES="node127 meshbox .*-wpad-basic-mbedtls wpad-mesh-mbedtls.* kmod-spi-dev.*" FILES=\S+\/firmware\/files BIN_DIR=\S+\/build\/firmware\/rpi-4 EXTRA_IMAGE_NAME=meshbox ADD_LOCAL_KEY=1 ROOTFS_PARTSIZE=512$/m)
  })

  it('lists the boards when none is named, or one that is not there', () => {
    for (const name of ['', 'wrt54gl']) {
      const { code, err } = firmware({ PROFILE: name })
      expect(code).toBe(1)
      for (const board of ['armsr-armv8', 'bpi-r3', 'gl-mt3000', 'gl-mt6000', 'mr8300', 'openwrt-one', 'rpi-4']) expect(err).toContain(board)
    }
  })

  it('refuses an option or an addition that makes no sense', () => {
    expect(firmware({ PROFILE: 'gl-mt3000', OPTIONS: 'lora,5g' })).toMatchObject({ code: 1, err: expect.stringContaining("OPTIONS='5g'") as string })
    expect(firmware({ PROFILE: 'gl-mt3000', EXTRA: '$(shell,touch)' })).toMatchObject({ code: 1, err: expect.stringContaining('is no name of a package') as string })
  })
})

describe('with an ImageBuilder', () => {
  it('puts our packages and the feed in and calls make image with the right variables', () => {
    const { code, out, err } = withBuilder({ OPTIONS: 'disk', EXTRA: 'htop', MAKEFLAGS: 'n', MAKELEVEL: '1', PACKAGES: 'not-ours' })
    expect([err, code]).toEqual(['', 0])
    const called = Object.fromEntries(read('called').trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
    expect(called).toMatchObject({ PROFILE: 'glinet_gl-mt3000', FILES: OVERLAY, BIN_DIR: join(folder, 'out'), EXTRA_IMAGE_NAME: 'meshbox', ADD_LOCAL_KEY: '1', ROOTFS_PARTSIZE: '' })
    const packages = (called['PACKAGES'] ?? '').split(' ')
    expect(packages).toEqual(expect.arrayContaining(['node127', 'meshbox', '-dnsmasq', 'dnsmasq-full', 'kmod-fs-ext4', 'htop']))
    expect(packages).not.toContain('not-ours')
    expect(readdirSync(join(builder, 'packages')).sort()).toEqual(['libc_1.2.5-r4_aarch64_cortex-a53.ipk', 'luci-app-meshbox_0.1.0-r1_all.ipk', `meshbox_0.1.0-r1_${ARCH}.ipk`])
    expect(out).toContain('glinet_gl-mt3000-squashfs-sysupgrade.bin')
    const lines = read('repositories.conf').split('\n')
    expect(lines.filter((line) => line === FEED)).toHaveLength(1)
    expect(lines.indexOf(FEED)).toBeLessThan(lines.indexOf('src imagebuilder file:packages'))
    expect(lines.filter((line) => line !== FEED).join('\n')).toBe(REPOSITORIES)
  })

  it('gives the same when done again, and takes the place of older packages and of another release', () => {
    put('packages/meshbox_0.0.9-r1_aarch64_cortex-a53.ipk', 'old')
    withBuilder()
    const once = [read('repositories.conf'), read('called')]
    withBuilder()
    expect([read('repositories.conf'), read('called')]).toEqual(once)
    expect(readdirSync(join(builder, 'packages')).filter((file) => file.startsWith('meshbox_'))).toEqual([`meshbox_0.1.0-r1_${ARCH}.ipk`])
    put('repositories.conf', read('repositories.conf').replaceAll('24.10.4', '24.10.5'))
    withBuilder()
    expect(read('repositories.conf').match(/^src\/gz meshbox_node .*$/gm)).toEqual([FEED.replace('24.10.4', '24.10.5')])
  })

  it('takes Node from a folder, and then no feed', () => {
    withBuilder()
    mkdirSync(join(folder, 'node'))
    writeFileSync(join(folder, 'node', `node127_22.23.2-r1_${ARCH}.ipk`), 'node')
    expect(withBuilder({ NODE_IPKS: join(folder, 'node') }).code).toBe(0)
    expect(read('repositories.conf')).toBe(REPOSITORIES)
    expect(readdirSync(join(builder, 'packages'))).toContain(`node127_22.23.2-r1_${ARCH}.ipk`)
  })

  it('lays the key of the feed where opkg looks for it', () => {
    const key = Buffer.concat([Buffer.from('Ed'), Buffer.from('0123456789abcdef', 'hex'), Buffer.alloc(32, 7)])
    writeFileSync(join(folder, 'feed.pub'), `untrusted comment: a feed\n${key.toString('base64')}\n`)
    expect(withBuilder({ NODE_KEY: join(folder, 'feed.pub') }).code).toBe(0)
    expect(readdirSync(join(builder, 'keys'))).toEqual(['0123456789abcdef'])
    rmSync(join(builder, 'called'))
    writeFileSync(join(folder, 'feed.pub'), 'untrusted comment: a feed\nAAAA\n')
    refused({ NODE_KEY: join(folder, 'feed.pub') }, "is not a public key in usign's format")
  })

  it('refuses what is not an ImageBuilder, or the wrong one, and touches nothing', () => {
    refused({ IMAGEBUILDER: join(folder, 'nowhere') }, /no such folder[^]*OpenWrt 24\.10 for mediatek\/filogic/)
    refused({ IMAGEBUILDER: join(folder, 'ipks') }, 'has no Makefile')
    put('target', 'bcm27xx/bcm2711\n')
    refused({}, 'is for bcm27xx/bcm2711')
    put('target', 'mediatek/filogic\n')
    refused({ PROFILE: 'openwrt-one' }, 'does not know the profile openwrt_one')
    put('.config', 'CONFIG_TARGET_ARCH_PACKAGES="aarch64_generic"\n')
    refused({}, 'packs for the architecture aarch64_generic, gl-mt3000 is aarch64_cortex-a53')
    put('.config', `CONFIG_TARGET_ARCH_PACKAGES="${ARCH}"\n`)
    put('repositories.conf', REPOSITORIES.replaceAll('24.10.4', '23.05.5'))
    refused({}, 'is of OpenWrt 23.05.5')
    put('repositories.conf', REPOSITORIES.replaceAll('releases/24.10.4', 'snapshots'))
    refused({}, 'a snapshot')
    rmSync(join(builder, 'repositories.conf'))
    put('repositories', 'https://downloads.openwrt.org/releases/25.12.0/x/packages.adb\n')
    refused({}, 'apk')
    put('repositories.conf', REPOSITORIES)
    put('Makefile', 'info:\n\t@echo broken >&2; exit 3\n')
    refused({}, /`make info` failed:\nbroken/)
    expect(read('repositories.conf')).toBe(REPOSITORIES)
    expect(readdirSync(join(builder, 'packages'))).toHaveLength(1)
  })

  it('says which package is missing, or is there twice', () => {
    refused({ PROFILE: 'gl-mt3000', IPKS: join(folder, 'none') }, /there is no meshbox_…_aarch64_cortex-a53\.ipk; expected one \(`make ipk` makes it\)/)
    writeFileSync(join(folder, 'ipks', `meshbox_0.2.0-r1_${ARCH}.ipk`), 'another')
    refused({}, 'there are 2 of meshbox')
  })

  it('fails when make image fails, and when it leaves no image', () => {
    put('fail', '')
    expect(withBuilder()).toMatchObject({ code: 1, err: expect.stringContaining('make image failed') as string })
    rmSync(join(builder, 'fail'))
    put('lazy', '')
    expect(withBuilder()).toMatchObject({ code: 1, err: expect.stringContaining('there is no image') as string })
  })

  it('refuses folders that makefiles do not bear, and a board without Node', () => {
    refused({ OUTPUT: join(folder, 'my images') }, 'has a blank')
    refused({ PROFILE: 'armsr-armv8' }, 'the Node feed has no packages for aarch64_generic')
  })
})

describe('the overlay', () => {
  it('is right', () => {
    expect(checkOverlay()).toMatchObject({ findings: [], shellcheck: true })
  })

  it('is refused when it has anything but first-boot scripts, or broken ones', () => {
    const overlay = join(folder, 'files')
    cpSync(OVERLAY, overlay, { recursive: true })
    const file = (name: string, text: string, mode = 0o755): void => {
      mkdirSync(join(overlay, name, '..'), { recursive: true })
      writeFileSync(join(overlay, name), text)
      chmodSync(join(overlay, name), mode)
    }
    const right = '#!/bin/sh\ntrue\nexit 0\n'
    file('etc/config/network', right)
    file('etc/uci-defaults/20-early', right)
    file('etc/uci-defaults/96-sleepy', right, 0o644)
    file('etc/uci-defaults/97-forever', '#!/bin/sh\ntrue\n')
    file('etc/uci-defaults/98-broken', '#!/bin/sh\nif true\nexit 0\n')
    file('etc/uci-defaults/99-careless', '#!/bin/sh\nrm -rf $1/etc\nexit 0\n')
    const findings = checkOverlay(overlay).findings.map(({ file: name, problem }) => `${name.split('/').pop() ?? ''}: ${problem.split('\n')[0] ?? ''}`)
    for (const expected of [/^network: only first-boot/, /^20-early: runs before 90-meshbox/, /^96-sleepy: is not executable/, /^97-forever: does not end with/, /^98-broken: sh -n/, /^99-careless: shellcheck/])
      expect(findings.some((finding) => expected.test(finding)), String(expected)).toBe(true)
  })
})
