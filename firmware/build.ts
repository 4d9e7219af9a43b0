/**
 * `make firmware PROFILE=gl-mt3000 [IMAGEBUILDER=dir]`, by environment variables:
 *
 *   PROFILE        a board; without it, or with a wrong one, the list
 *   IMAGEBUILDER   an unpacked ImageBuilder of OpenWrt 24.10; without it only a dry run: checks, and the command
 *   OPTIONS        `lora`, `disk`, or both
 *   EXTRA          more packages, `-name` for fewer
 *   IPKS           folder of our packages (build/packages/<architecture>)
 *   NODE_IPKS      folder with Node's package, where the Node feed has none for the board
 *   NODE_KEY       public key of the Node feed
 *   OUTPUT         where images go (build/firmware/<board>)
 *
 * Exit code 0: built, or the dry run found nothing; 1: something is wrong, said by name.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { environment, equip, imageVariables, nodeFeedLine, openImageBuilder, RELEASE } from './image-builder.ts'
import { OVERLAY, checkOverlay } from './overlay.ts'
import { FIRMWARE, FirmwareError, estimateFlash, findProfile, packageList, readKnownPackages, readPackageLists, unknownPackages } from './profiles.ts'
import type { Profile } from './profiles.ts'

const ROOT = dirname(FIRMWARE)
const say = (line: string): void => console.log(`[firmware] ${line}`)
/** `make firmware IMAGEBUILDER=~/x` leaves the ~ to us in some shells. */
const given = (name: string): string => (process.env[name]?.trim() ?? '').replace(/^~(?=\/)/, homedir())
const words = (name: string): string[] => given(name).split(/[\s,]+/).filter((word) => word !== '')

function main(): void {
  const profile = findProfile(given('PROFILE'))
  const lists = readPackageLists()
  const packages = packageList(profile, lists, words('OPTIONS'), words('EXTRA'))
  say(`${profile.title}: ${profile.target}, profile ${profile.profile}, ${profile.arch}`)
  for (const note of profile.notes) say(`note: ${note}`)
  check(profile, packages)

  const flash = estimateFlash(profile, packages, lists)
  say(`image about ${mebibytes(flash.imageKiB)} MiB of ${mebibytes(flash.roomKiB)} (estimate); at least ${mebibytes(lists.roomForDataKiB)} MiB stay free for the books: ${flash.fits ? 'yes' : 'NO'}`)
  if (!flash.fits) throw new FirmwareError('it does not fit; leave an option out')

  const output = resolve(given('OUTPUT') || join(ROOT, 'build/firmware', profile.name))
  const variables = imageVariables(profile, packages, OVERLAY, output)
  if (given('IMAGEBUILDER') === '') dryRun(profile, variables)
  else build(profile, variables, output)
}

function check(profile: Profile, packages: readonly string[]): void {
  const overlay = checkOverlay()
  for (const { file, problem } of overlay.findings) say(`overlay: ${file}: ${problem}`)
  if (overlay.findings.length > 0) throw new FirmwareError('the overlay is not right')
  say(`overlay: ${overlay.files.length} file(s), right by sh -n${overlay.shellcheck ? ' and shellcheck' : '; shellcheck is not installed'}`)
  // What somebody adds is his to know.
  const extra = words('EXTRA')
  const unknown = unknownPackages(packages, profile.target, readKnownPackages()).filter((name) => !extra.includes(name))
  if (unknown.length > 0) throw new FirmwareError(`not known for ${profile.target}: ${unknown.join(' ')}\nsee firmware/known-packages.txt`)
  say(`${packages.length} packages, ${extra.length === 0 ? 'all' : 'all of ours'} known for ${profile.target}`)
}

function dryRun(profile: Profile, variables: readonly string[]): void {
  say(`dry run: no IMAGEBUILDER given. With one of OpenWrt ${RELEASE} for ${profile.target}:`)
  if (given('NODE_IPKS') !== '') say(`Node would come from ${given('NODE_IPKS')}`)
  else if (profile.nodeInFeed) say(`this line would go into its repositories.conf: ${nodeFeedLine(`${RELEASE}.x`, profile)}`)
  else say('Node would have to come from a folder of yours: NODE_IPKS=folder')
  say('and this would be run in it:')
  console.log(`make image ${variables.map(quoted).join(' ')}`)
}

function build(profile: Profile, variables: readonly string[], output: string): void {
  if (!profile.nodeInFeed && given('NODE_IPKS') === '') throw new FirmwareError(`the Node feed has no packages for ${profile.arch}; give a folder with ${readPackageLists().nodePackage} by NODE_IPKS=folder (docs/firmware.md)`)
  // OpenWrt's makefiles split their variables at blanks.
  for (const path of [OVERLAY, output, resolve(given('IMAGEBUILDER'))]) if (/[\s"'$#]/.test(path)) throw new FirmwareError(`'${path}' has a blank or a sign in it that OpenWrt's makefiles do not bear; build in a folder without`)
  const builder = openImageBuilder(resolve(given('IMAGEBUILDER')), profile)
  const put = equip(builder, profile, {
    ipks: resolve(given('IPKS') || join(ROOT, 'build/packages', profile.arch)),
    nodeIpks: given('NODE_IPKS') === '' ? null : resolve(given('NODE_IPKS')),
    nodeKey: given('NODE_KEY') === '' ? null : resolve(given('NODE_KEY')),
  })
  say(`OpenWrt ${builder.version}; put into packages/: ${put.join(', ')}`)
  mkdirSync(output, { recursive: true })
  const made = spawnSync('make', ['-C', builder.folder, 'image', ...variables], { stdio: 'inherit', env: environment() })
  if (made.error || made.status !== 0) throw new FirmwareError(`make image failed (${made.error?.message ?? `exit code ${made.status}`}); its last words are above`)
  const images = existsSync(output) ? readdirSync(output).filter((file) => /sysupgrade|factory|combined|\.itb$/.test(file)) : []
  if (images.length === 0) throw new FirmwareError(`make image ended well, but there is no image in ${output}`)
  for (const image of images) say(join(output, image))
}

const mebibytes = (kibibytes: number): string => (kibibytes / 1024).toFixed(0)
const quoted = (word: string): string => (/^[\w=/.+-]+$/.test(word) ? word : `${word.slice(0, word.indexOf('=') + 1)}"${word.slice(word.indexOf('=') + 1)}"`)

try {
  main()
} catch (thrown) {
  if (!(thrown instanceof FirmwareError)) throw thrown
  console.error(`firmware: ${thrown.message}`)
  process.exitCode = 1
}
