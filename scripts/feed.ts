/**
 * Indexes and signs build/packages/<architecture>/: `node scripts/feed.ts [--packages FOLDER] [--key FILE]`.
 *
 * The key is the text in MESHBOX_FEED_KEY, else the file --key or MESHBOX_FEED_KEY_FILE, else one made for this
 * developer in build/feed-key/. The public key is put beside the packages, in keys/, under the name routers keep it by
 * and as meshbox.pub.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { indexFeed } from './package/feed.ts'
import { PACKAGES, PackageError, ROOT } from './package/places.ts'
import { keyName, newSigningKey, publicKeyText, readSecretKey, secretKeyText, type SigningKey } from './package/usign.ts'

const DEVELOPER_KEY = join(ROOT, 'build/feed-key/developer.sec')

function main(): void {
  const { values } = parseArgs({ options: { packages: { type: 'string' }, key: { type: 'string' } } })
  const packages = values.packages ?? PACKAGES
  const key = signingKey(values.key)
  const folders = existsSync(packages) ? readdirSync(packages).filter((name) => ipksIn(join(packages, name)).length > 0) : []
  if (folders.length === 0) throw new PackageError(`${packages} has no folder with packages; make ipk makes them`)
  for (const name of folders.sort()) {
    const folder = join(packages, name)
    const index = indexFeed(new Map(ipksIn(folder).map((file) => [file, readFileSync(join(folder, file))])), key)
    writeFileSync(join(folder, 'Packages'), index.packages)
    writeFileSync(join(folder, 'Packages.gz'), index.compressed)
    writeFileSync(join(folder, 'Packages.sig'), index.signature)
    console.log(`[feed] ${folder}: ${ipksIn(folder).length} packages, signed by ${keyName(key)}`)
  }
  mkdirSync(join(packages, 'keys'), { recursive: true })
  // By its number, as routers keep it, and by a name that can stand in an instruction.
  for (const name of [keyName(key), 'meshbox.pub']) writeFileSync(join(packages, 'keys', name), publicKeyText(key))
  console.log(`[feed] on a router: /etc/opkg/keys/${keyName(key)} is ${join(packages, 'keys', keyName(key))}`)
}

function signingKey(given: string | undefined): SigningKey {
  const text = process.env['MESHBOX_FEED_KEY']
  if (text !== undefined && text !== '') return readSecretKey(text, 'MESHBOX_FEED_KEY')
  const named = given ?? process.env['MESHBOX_FEED_KEY_FILE']
  if (named !== undefined) {
    if (!existsSync(named)) throw new PackageError(`the key file ${named} does not exist`)
    return readSecretKey(readFileSync(named, 'utf8'), named)
  }
  if (!existsSync(DEVELOPER_KEY)) {
    mkdirSync(dirname(DEVELOPER_KEY), { recursive: true, mode: 0o700 })
    writeFileSync(DEVELOPER_KEY, secretKeyText(newSigningKey()), { mode: 0o600, flag: 'wx' })
    console.log(`[feed] made a developer's key: ${DEVELOPER_KEY}`)
  }
  return readSecretKey(readFileSync(DEVELOPER_KEY, 'utf8'), DEVELOPER_KEY)
}

function ipksIn(folder: string): string[] {
  return statSync(folder).isDirectory() ? readdirSync(folder).filter((name) => name.endsWith('.ipk')).sort() : []
}

try {
  main()
} catch (error) {
  const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  if (!(error instanceof PackageError) && !isUsage) throw error
  console.error(`feed: ${error.message}`)
  process.exitCode = 1
}
