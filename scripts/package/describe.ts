/** The two packages of the feed: what their Makefiles and lists say, made into what the packer takes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gather, readManifest, type Contents } from './manifest.ts'
import { opkgDepends, packageFields, readMakefile, variable, type FeedMakefile } from './makefile.ts'
import type { PackageDescription } from './ipk.ts'
import { EMULATION_TARGETS, FEED, PackageError, ROOT, type Processor } from './places.ts'

export interface Described {
  readonly about: PackageDescription
  readonly contents: Contents
}

/** Which build of the service goes into the package. */
export interface Build {
  readonly architecture: string
  readonly target: string
  readonly processor: Processor
  /** Folder made by scripts/bundle.ts for that target. */
  readonly dist: string
}

const SCRIPTS = ['preinst', 'postinst', 'prerm', 'postrm']

/** @param version overrides the Makefile's, for tests of upgrades */
export function describeService(build: Build, version?: string): Described {
  const folder = join(FEED, 'meshbox')
  const makefile = readMakefile(join(folder, 'Makefile'))
  const fields = packageFields(makefile, 'meshbox')
  const contents = gather(readManifest(join(folder, 'files.list')), folder, build.dist)
  checkProcessor(contents, build)
  const description = makefile.blocks.get('Package/meshbox/description') ?? ''
  const warning = build.target in EMULATION_TARGETS ? `FOR EMULATION ONLY (${build.target}): its native parts do not load on a router.\n` : ''
  return {
    contents,
    about: {
      name: 'meshbox',
      version: version ?? makefileVersion(makefile),
      architecture: build.architecture,
      depends: opkgDepends(fields.get('DEPENDS') ?? '', fields.get('EXTRA_DEPENDS') ?? ''),
      source: 'feeds/meshbox/meshbox',
      license: variable(makefile, 'PKG_LICENSE'),
      section: fields.get('SECTION') ?? 'net',
      requireUser: fields.get('USERID') ?? null,
      maintainer: variable(makefile, 'PKG_MAINTAINER'),
      description: warning + description,
      scripts: scriptsOf(makefile, 'meshbox'),
    },
  }
}

/** For every processor; version and maintainer are those of the service, which it belongs to. */
export function describeLuci(version?: string): Described {
  const folder = join(FEED, 'luci-app-meshbox')
  const makefile = readMakefile(join(folder, 'Makefile'))
  const service = readMakefile(join(FEED, 'meshbox/Makefile'))
  return {
    contents: gather(readManifest(join(folder, 'files.list')), folder, null),
    about: {
      name: 'luci-app-meshbox',
      version: version ?? makefileVersion(service),
      architecture: 'all',
      depends: opkgDepends(variable(makefile, 'LUCI_DEPENDS'), ''),
      source: 'feeds/meshbox/luci-app-meshbox',
      license: variable(makefile, 'PKG_LICENSE'),
      section: 'luci',
      requireUser: null,
      maintainer: variable(service, 'PKG_MAINTAINER'),
      description: variable(makefile, 'LUCI_DESCRIPTION'),
      scripts: new Map([['postinst', LUCI_POSTINST]]),
    },
  }
}

/** What luci.mk adds to each LuCI package: its menus and rights are read again. */
const LUCI_POSTINST = `#!/bin/sh
[ -n "\${IPKG_INSTROOT}" ] && exit 0
rm -f /tmp/luci-indexcache.*
rm -rf /tmp/luci-modulecache
[ -x /etc/init.d/rpcd ] && /etc/init.d/rpcd reload
exit 0
`

/** The one in package.json, which the service shows, and the one of the package must be the same. */
function makefileVersion(makefile: FeedMakefile): string {
  const version = variable(makefile, 'PKG_VERSION')
  const ours = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version
  if (version !== ours) throw new PackageError(`${makefile.file}: PKG_VERSION is ${version}, package.json says ${ours}`)
  return `${version}-r${variable(makefile, 'PKG_RELEASE')}`
}

function scriptsOf(makefile: FeedMakefile, name: string): Map<string, string> {
  return new Map(
    SCRIPTS.flatMap((script) => {
      const text = makefile.blocks.get(`Package/${name}/${script}`)
      return text === undefined ? [] : [[script, text]]
    }),
  )
}

/** An addon for another machine would only be found out on the router, at the first start. */
function checkProcessor(contents: Contents, { architecture, processor }: Build): void {
  for (const entry of contents.entries) {
    if (entry.kind !== 'file' || !entry.path.endsWith('.node')) continue
    const { body } = entry
    const isElf = body.length > 20 && body.readUInt32BE(0) === 0x7f454c46
    if (!isElf || body.readUInt16LE(18) !== processor.elfMachine || body[4] !== (processor.bits === 64 ? 2 : 1))
      throw new PackageError(`/${entry.path} is not for ${processor.name}, which ${architecture} wants`)
  }
}
