/**
 * The feed's Makefile in GNU make, with the few lines of OpenWrt's build system that it leans on. An SDK cannot be
 * fetched here, so this shows that make reads it, what it would install, and that the packer understood the same.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeService } from '../../../scripts/package/describe.ts'
import { opkgDepends, readMakefile } from '../../../scripts/package/makefile.ts'
import { FEED } from '../../../scripts/package/places.ts'
import { sampleBuild } from './sample.ts'

const PACKAGE = join(FEED, 'meshbox')
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-sdk-'))
  mkdirSync(join(folder, 'include'))
  writeFileSync(join(folder, 'rules.mk'), 'INCLUDE_DIR:=$(TOPDIR)/include\nPKG_BUILD_DIR=$(TOPDIR)/build\n')
  // Prints and installs what BuildPackage would pack.
  writeFileSync(
    join(folder, 'include/package.mk'),
    `define BuildPackage
$(eval $(value Package/$(1)))
export TOLD_DEPENDS=$(DEPENDS)
export TOLD_EXTRA=$(EXTRA_DEPENDS)
export TOLD_USER=$(USERID)
define PRERM
$$(Package/$(1)/prerm)
endef
export PRERM
define POSTINST
$$(Package/$(1)/postinst)
endef
export POSTINST
define CONFFILES
$$(Package/$(1)/conffiles)
endef
export CONFFILES
tell:
	@printf '%s\\n' "$$$$TOLD_DEPENDS" "$$$$TOLD_EXTRA" "$$$$TOLD_USER" "$(PKG_VERSION)-r$(PKG_RELEASE)" "$(MESHBOX_TARGET)" "$(MESHBOX_ROOT)"
prerm:
	@printf '%s\\n' "$$$$PRERM"
postinst:
	@printf '%s\\n' "$$$$POSTINST"
conffiles:
	@printf '%s\\n' "$$$$CONFFILES"
install:
$(call Package/$(1)/install,$(TOPDIR)/root)
endef
`,
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const make = (goal: string, arch = 'aarch64'): string => execFileSync('make', ['-s', '-C', PACKAGE, '--no-print-directory', goal, `TOPDIR=${folder}`, `ARCH=${arch}`], { encoding: 'utf8' })

it('says to make what it says to the packer', () => {
  const { about, contents } = describeService(sampleBuild(join(folder, 'dist'), 'aarch64_cortex-a53'))
  const [depends = '', extra = '', user, version, target, root] = make('tell').split('\n')
  expect(opkgDepends(depends, extra)).toEqual(about.depends)
  expect(user).toBe(about.requireUser)
  expect(version).toBe(about.version)
  expect(target).toBe('arm64-musl')
  expect(root).toBe(join(FEED, '..'))
  expect(make('tell', 'arm').split('\n')[4]).toBe('armv7-musl')
  expect(make('prerm').trim()).toBe(about.scripts.get('prerm')?.trim())
  expect(make('postinst').trim()).toBe(about.scripts.get('postinst')?.trim())
  expect(make('conffiles').trim()).toBe(contents.conffiles.join('\n'))
})

it('installs by the list', () => {
  sampleBuild(join(folder, 'build/dist'), 'aarch64_cortex-a53')
  make('install')
  const files = execFileSync('find', [join(folder, 'root'), '!', '-type', 'd', '-printf', '%P\n'], { encoding: 'utf8' }).trim().split('\n').sort()
  const { contents } = describeService(sampleBuild(join(folder, 'dist'), 'aarch64_cortex-a53'))
  expect(files).toEqual(contents.entries.filter((entry) => entry.kind !== 'dir').map((entry) => entry.path).sort())
})

it('is understood only as far as it is plain', () => {
  expect(opkgDepends('@(aarch64||arm) +node +curl libubus', 'node (>=22.14.0)')).toEqual(['libc', 'curl', 'libubus', 'node (>=22.14.0)'])
  expect(() => opkgDepends('+PACKAGE_x:node', '')).toThrow(/not a plain package name/)
  writeFileSync(join(folder, 'Makefile'), 'define Package/x\nTITLE:=x\n')
  expect(() => readMakefile(join(folder, 'Makefile'))).toThrow(/has no endef/)
})
