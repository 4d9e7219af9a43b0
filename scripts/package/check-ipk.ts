/**
 * The rules a package keeps, looked at from outside: order and owners of the members, fields, size, conffiles, scripts,
 * and that each native file is for the processor the package names. What a shell thinks of the scripts is asked by the tests.
 */
import type { Ipk, Member } from './read-ipk.ts'

const MEMBERS = ['./debian-binary', './data.tar.gz', './control.tar.gz']
const REQUIRED_FIELDS = ['Package', 'Version', 'Depends', 'License', 'Section', 'Architecture', 'Installed-Size', 'Description']
/** The SDK's order, for those that are there. */
const FIELD_ORDER = [
  ...['Package', 'Version', 'Depends', 'Conflicts', 'Provides', 'Alternatives', 'Source', 'SourceName', 'License', 'LicenseFiles'],
  ...['Section', 'Require-User', 'SourceDateEpoch', 'URL', 'ABIVersion', 'CPE-ID', 'Status', 'Essential', 'Maintainer'],
  ...['Architecture', 'Installed-Size', 'Description'],
]
const CONTROL_FILES = ['./', './conffiles', './control', './postinst', './postinst-pkg', './postrm', './preinst', './prerm', './prerm-pkg']
/** e_machine of ELF, by the beginning of opkg's name. */
const MACHINES: readonly (readonly [string, number, number])[] = [
  ['aarch64', 183, 2],
  ['arm_', 40, 1],
]

/** Every breach as a sentence; none means the package is as it should be. `fileName` without folder. */
export function checkIpk(ipk: Ipk, fileName: string): string[] {
  const problems: string[] = []
  const must = (holds: boolean, otherwise: string): void => {
    if (!holds) problems.push(otherwise)
  }
  const field = (name: string): string => ipk.fields.get(name) ?? ''

  must(ipk.members.map((member) => member.name).join() === MEMBERS.join(), `members ${ipk.members.map((member) => member.name).join()}; expected ${MEMBERS.join()}`)
  must(ipk.members[0]?.body.toString() === '2.0\n', "debian-binary is not '2.0'")
  const times = new Set([...ipk.members, ...ipk.control, ...ipk.data].map((member) => member.time))
  must(times.size === 1, 'members have different times')
  must([...times][0] === Number(field('SourceDateEpoch')), 'the time of the members is not SourceDateEpoch')
  for (const member of [...ipk.members, ...ipk.control, ...ipk.data]) {
    must(member.uid === 0 && member.gid === 0 && member.owner === '' && member.group === '', `${member.name} does not belong to 0:0`)
    must(member.name.startsWith('./') && !member.name.split('/').includes('..'), `${member.name} does not lie below ./`)
    must(member.type !== 'dir' || (member.mode & 0o022) === 0, `${member.name} can be written by anybody`)
    must((member.mode & 0o6000) === 0, `${member.name} is set-user or set-group`)
  }
  for (const members of [ipk.control, ipk.data]) {
    must(new Set(members.map((member) => member.name)).size === members.length, 'a name is there twice')
    must(foldersFirst(members), 'a file comes before its folder')
  }

  for (const name of REQUIRED_FIELDS) must(field(name) !== '', `field ${name} is missing`)
  const order = [...ipk.fields.keys()].map((name) => FIELD_ORDER.indexOf(name))
  must(!order.includes(-1) && order.every((place, i) => i === 0 || place > (order[i - 1] ?? 0)), `fields are unknown or out of order: ${[...ipk.fields.keys()].join(' ')}`)
  must(/^[a-z0-9][a-z0-9.+-]*$/.test(field('Package')), `package name '${field('Package')}'`)
  must(/^\d+(\.\d+)*-r\d+$/.test(field('Version')), `version '${field('Version')}' is not 1.2.3-r4`)
  must(fileName === `${field('Package')}_${field('Version')}_${field('Architecture')}.ipk`, `file name ${fileName} does not say what is inside`)
  must(field('Installed-Size') === String(ipk.dataBytes), `Installed-Size ${field('Installed-Size')}; the data tar has ${ipk.dataBytes}`)
  must(field('Depends').split(', ').every((one) => /^[a-z0-9][a-z0-9.+-]*( \([<>=]+ ?[0-9][0-9a-z.~-]*\))?$/.test(one)), `Depends '${field('Depends')}'`)

  for (const member of ipk.control) {
    must(CONTROL_FILES.includes(member.name), `control has ${member.name}`)
    const isScript = /^\.\/(pre|post)(inst|rm)(-pkg)?$/.test(member.name)
    if (isScript) {
      must(member.mode === 0o755, `${member.name} is not 0755`)
      must(member.body.toString().startsWith('#!/bin/sh\n'), `${member.name} does not begin with #!/bin/sh`)
    } else if (member.type === 'file') must(member.mode === 0o644, `${member.name} is not 0644`)
  }
  checkConffiles(ipk, must)
  checkData(ipk, field('Architecture'), must)
  return problems
}

function checkConffiles(ipk: Ipk, must: (holds: boolean, otherwise: string) => void): void {
  const text = ipk.control.find((member) => member.name === './conffiles')?.body.toString() ?? ''
  const paths = text.split('\n').filter((line) => line !== '')
  must(text === '' || text.endsWith('\n'), 'conffiles does not end with a line')
  must([...paths].sort().join() === paths.join(), 'conffiles is not sorted')
  for (const path of paths) must(ipk.data.some((member) => member.name === `.${path}` && member.type === 'file'), `conffile ${path} is not a file of the package`)
}

function checkData(ipk: Ipk, architecture: string, must: (holds: boolean, otherwise: string) => void): void {
  for (const member of ipk.data) {
    if (member.type !== 'file') continue
    // Those two kinds are sourced.
    const isSourced = /^\.\/etc\/(uci-defaults|hotplug\.d)\//.test(member.name)
    if (member.body.toString('latin1', 0, 2) === '#!' && !isSourced) must((member.mode & 0o111) === 0o111, `${member.name} begins with #! and is not executable`)
    if (member.body.toString('latin1', 0, 4) !== '\x7fELF') {
      must(!member.name.endsWith('.node'), `${member.name} is not an ELF file`)
      continue
    }
    const wanted = MACHINES.find(([prefix]) => architecture.startsWith(prefix))
    must(wanted !== undefined, `${member.name} is native, the package is for ${architecture}`)
    const [machine, word] = [member.body.readUInt16LE(18), member.body[4]]
    if (wanted !== undefined) must(machine === wanted[1] && word === wanted[2], `${member.name} is for machine ${machine}, the package for ${architecture}`)
  }
}

/** Names are `./`, `./folder/`, `./folder/file`. */
function foldersFirst(members: readonly Member[]): boolean {
  const seen = new Set<string>()
  return members.every((member) => {
    const path = member.name.replace(/\/$/, '')
    seen.add(path)
    return path === '.' || seen.has(path.slice(0, path.lastIndexOf('/')))
  })
}
