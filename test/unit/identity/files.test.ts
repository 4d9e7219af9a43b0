import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLog, silentLog, toHex } from '../../../src/base/index.ts'
import type { Log } from '../../../src/base/index.ts'
import { openIdentity, openOwnerPassword, openVoucherKeys, recoverTextSigner, restoreIdentity, type Signer } from '../../../src/identity/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { SIGNERS } from './signers.ts'

const JUNK = 'test test test test test test test test test test test junk'
const LEGAL = 'legal winner thank year wave sausage worth useful legal winner thank yellow'

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-identity-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function options(dataDir = temporaryFolder(), log: Log = silentLog, seed = 7) {
  return { dataDir, log, randomness: seededRandom(seed) }
}

const optionsOn = (signer: Signer) => (...given: Parameters<typeof options>) => ({ ...options(...given), signer })

function collectingLog(): { log: Log; lines: string[] } {
  const lines: string[] = []
  return { lines, log: createLog({ level: 'debug', style: 'syslog', now: () => 0, write: (line) => lines.push(line) }) }
}

const modeOf = (path: string): number => statSync(path).mode & 0o777

describe.each(SIGNERS)('the identity on %s', (_name, signer) => {
  const options = optionsOn(signer)

  it('is made on the first start, kept, and never shown', async () => {
    const { log, lines } = collectingLog()
    const box = options(join(temporaryFolder(), 'etc', 'meshbox'), log)
    const first = await openIdentity(box)
    const file = join(box.dataDir, 'identity.key')
    expect([modeOf(box.dataDir), modeOf(file)]).toEqual([0o700, 0o600])
    expect(readdirSync(box.dataDir)).toEqual(['identity.key'])
    const second = await openIdentity(options(box.dataDir, log, 8))
    expect(second.address).toBe(first.address)
    expect(second.publicKey).toEqual(first.publicKey)
    expect(recoverTextSigner('receipt', second.signText('receipt'))).toBe(first.address)
    const { privateKey, entropy } = JSON.parse(readFileSync(file, 'utf8')) as { privateKey: string; entropy: string }
    for (const shown of [JSON.stringify(first), inspect(first, { depth: 9, showHidden: true }), ...lines]) {
      expect(shown).not.toContain(privateKey)
      expect(shown).not.toContain(entropy)
    }
  })

  it('of another box is another one', async () => {
    expect((await openIdentity(options())).address).not.toBe((await openIdentity(options(undefined, undefined, 8))).address)
  })

  it('derives one secret for each purpose, the same after a restore by words', async () => {
    const restored = async () => restoreIdentity({ dataDir: temporaryFolder(), log: silentLog, signer, words: JUNK })
    const [one, two] = [await restored(), await restored()]
    const secrets = (['chain-miner', 'chain-node'] as const).map((purpose) => toHex(one.deriveSecret(purpose)))
    expect(new Set(secrets).size).toBe(2)
    expect(secrets).not.toContain('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
    expect(secrets).toEqual((['chain-miner', 'chain-node'] as const).map((purpose) => toHex(two.deriveSecret(purpose))))
    // Known answer (HMAC by openssl): a change here would make every box another miner.
    expect(one.addressFor('chain-miner')).toMatch(/^0x[0-9a-fA-F]{40}$/)
    expect(secrets[0]).toBe('df1ec891984873d4e74862b0e9591291412119d276e7ab098467e918c03deba3')
    expect(signer.publicKeyOf(one.deriveSecret('chain-miner'))).toHaveLength(65)
  })

  it('signs 32 bytes and nothing else', async () => {
    const identity = await openIdentity(options())
    expect(identity.signDigest(new Uint8Array(32).fill(1))).toHaveLength(65)
    for (const length of [0, 31, 33]) expect(() => identity.signDigest(new Uint8Array(length))).toThrow(expect.objectContaining({ field: 'digest' }))
  })

  it('cannot be changed through its public key', async () => {
    const identity = await openIdentity(options())
    identity.publicKey.fill(0)
    expect(identity.publicKey[0]).not.toBe(0)
  })
})

describe.each(SIGNERS)('the recovery words on %s', (_name, signer) => {
  const options = optionsOn(signer)

  it('are shown once, are gone from disk by then, and restore the same address on a new box', async () => {
    const box = options()
    const file = join(box.dataDir, 'identity.key')
    const identity = await openIdentity(box)
    const entropy = (JSON.parse(readFileSync(file, 'utf8')) as { entropy: string }).entropy
    expect(entropy).toMatch(/^[0-9a-f]{32}$/)
    // A second name for the old blocks: what someone who reads the flash chip would see.
    const oldBlocks = join(temporaryFolder(), 'old')
    linkSync(file, oldBlocks)
    expect(identity.recoveryWordsShown).toBe(false)

    const words = await identity.revealRecoveryWords()

    expect(words).toHaveLength(12)
    expect(readFileSync(file, 'utf8')).not.toContain(entropy)
    expect(readFileSync(oldBlocks).every((byte) => byte === 0)).toBe(true)
    expect(identity.recoveryWordsShown).toBe(true)
    await expect(identity.revealRecoveryWords()).rejects.toMatchObject({ kind: 'conflict', code: 'words-already-shown' })
    const later = await openIdentity(box)
    expect([later.address, later.recoveryWordsShown]).toEqual([identity.address, true])
    await expect(later.revealRecoveryWords()).rejects.toMatchObject({ code: 'words-already-shown' })
    expect(recoverTextSigner('x', later.signText('x'))).toBe(identity.address)

    const restored = await restoreIdentity({ ...options(), words })
    expect(restored.address).toBe(identity.address)
  })

  it('go to one of two who ask at the same moment', async () => {
    const identity = await openIdentity(options())
    const outcomes = await Promise.allSettled([identity.revealRecoveryWords(), identity.revealRecoveryWords()])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected'])
  })

  it('are not shown, and not lost, when they cannot be erased', async () => {
    const box = options()
    const identity = await openIdentity(box)
    // Something that cannot be removed stands where the new file is drafted.
    mkdirSync(join(box.dataDir, 'identity.key.new', 'in the way'), { recursive: true })
    await expect(identity.revealRecoveryWords()).rejects.toMatchObject({ kind: 'unavailable', code: 'secret-unavailable' })
    expect(identity.recoveryWordsShown).toBe(false)
    rmSync(join(box.dataDir, 'identity.key.new'), { recursive: true })
    expect(await identity.revealRecoveryWords()).toHaveLength(12)
  })

  it('of a wallet give the wallet\'s address; a box that has an identity keeps it', async () => {
    const box = options()
    const identity = await restoreIdentity({ ...box, words: ` ${JUNK.toUpperCase()}\n` })
    expect(identity.address).toBe('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266')
    expect(identity.recoveryWordsShown).toBe(true)
    await expect(restoreIdentity({ ...box, words: LEGAL })).rejects.toMatchObject({ kind: 'conflict', code: 'secret-exists' })
    expect((await openIdentity(box)).address).toBe(identity.address)
    await expect(restoreIdentity({ ...options(), words: 'legal winner' })).rejects.toMatchObject({ kind: 'input', field: 'words' })
  })
})

describe('the voucher keys', () => {
  it('are the same on all boxes of one owner', async () => {
    const [first, second] = [await openVoucherKeys(options()), await openVoucherKeys(options(undefined, undefined, 8))]
    const message = new Uint8Array([1, 2, 3])
    expect(second.verify(first.sign(message), message)).toBe(false)
    const words = first.revealVoucherWords()
    expect(words).toHaveLength(12)
    await second.adoptVoucherWords(words, true)
    expect(second.verify(first.sign(message), message)).toBe(true)
    expect(toHex(second.mac(message))).toBe(toHex(first.mac(message)))
    expect(second.revealVoucherWords()).toEqual(words)
  })

  it('survive a restart', async () => {
    const box = options()
    const before = await openVoucherKeys(box)
    await before.adoptVoucherWords(LEGAL, true)
    const after = await openVoucherKeys(options(box.dataDir, silentLog, 9))
    expect(after.revealVoucherWords().join(' ')).toBe(LEGAL)
    expect(after.publicKey).toEqual(before.publicKey)
    expect(modeOf(join(box.dataDir, 'voucher.key'))).toBe(0o600)
  })

  it('in use are not replaced by accident', async () => {
    const keys = await openVoucherKeys(options())
    const before = toHex(keys.publicKey)
    await expect(keys.adoptVoucherWords(LEGAL, false)).rejects.toMatchObject({ kind: 'conflict', code: 'voucher-keys-in-use' })
    await expect(keys.adoptVoucherWords(LEGAL.replace('legal', 'lethal'), true)).rejects.toMatchObject({ field: 'words' })
    expect(toHex(keys.publicKey)).toBe(before)
    await keys.adoptVoucherWords(keys.revealVoucherWords(), false)
    expect(toHex(keys.publicKey)).toBe(before)
  })
})

describe('the owner password', () => {
  it('is set, checked, changed and kept, hashed', async () => {
    const box = options()
    const password = await openOwnerPassword(box)
    expect(password.isSet).toBe(false)
    expect(await password.verify('anything at all')).toBe(false)
    await password.set('correct horse')
    const file = readFileSync(join(box.dataDir, 'owner.password'), 'utf8')
    expect(file).not.toContain('horse')
    expect(JSON.parse(file)).toMatchObject({ n: '32768', r: '8', p: '1' })
    expect(modeOf(join(box.dataDir, 'owner.password'))).toBe(0o600)
    const later = await openOwnerPassword(box)
    expect([later.isSet, await later.verify('correct horse'), await later.verify('correct horsf'), await later.verify('')]).toEqual([true, true, false, false])
    await later.set('battery staple')
    expect([await later.verify('correct horse'), await later.verify('battery staple')]).toEqual([false, true])
  })

  it('is salted: the same password twice gives different files', async () => {
    const hashes = []
    for (const seed of [1, 2]) {
      const box = options(undefined, undefined, seed)
      await (await openOwnerPassword(box)).set('correct horse')
      hashes.push(readFileSync(join(box.dataDir, 'owner.password'), 'utf8'))
    }
    expect(hashes[0]).not.toBe(hashes[1])
  })

  it('is the same however the keyboard composes its letters', async () => {
    const password = await openOwnerPassword(options())
    await password.set('m\u00fcnchen-wlan')
    expect(await password.verify('mu\u0308nchen-wlan')).toBe(true)
  })

  it.each([['', 0], ['ninechars', 9], ['x'.repeat(257), 257], ['x'.repeat(1_000_000), 0], ['\u{1f511}'.repeat(9), 9]])('of the wrong length is refused and not shown', async (text) => {
    const password = await openOwnerPassword(options())
    const refused = password.set(text)
    await expect(refused).rejects.toMatchObject({ kind: 'input', field: 'password', allowed: '10 to 256 characters' })
    if (text !== '') await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining(text) })
    expect(password.isSet).toBe(false)
  })

  it('of 10 and of 256 characters is fine', async () => {
    const password = await openOwnerPassword(options())
    for (const text of ['x'.repeat(10), '\u{1f511}'.repeat(256)]) {
      await password.set(text)
      expect(await password.verify(text)).toBe(true)
    }
    expect(await password.verify('y'.repeat(1_000_000))).toBe(false)
  })

  it('is checked and changed one at a time, in the order asked for', async () => {
    const password = await openOwnerPassword(options())
    await password.set('correct horse')
    const outcomes = [password.verify('correct horse'), password.set('battery staple'), password.verify('correct horse'), password.verify('battery staple')]
    expect(await Promise.all(outcomes)).toEqual([true, undefined, false, true])
  })

  it('refuses the sixth who comes while one is being checked', async () => {
    const password = await openOwnerPassword(options())
    await password.set('correct horse')
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => password.verify('correct horse')))
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(5)
    for (const outcome of outcomes.slice(5)) expect(outcome).toMatchObject({ reason: { kind: 'limit', code: 'password-busy', retryAfterSeconds: 5 } })
    expect(await password.verify('correct horse')).toBe(true)
  })
})

describe.each([
  ['identity.key', async (box: ReturnType<typeof options>) => (await openIdentity(box)).address],
  ['voucher.key', async (box: ReturnType<typeof options>) => (await openVoucherKeys(box)).revealVoucherWords().join(' ')],
  [
    'owner.password',
    async (box: ReturnType<typeof options>) => {
      const password = await openOwnerPassword(box)
      if (!password.isSet) await password.set('correct horse')
      return String(await password.verify('correct horse'))
    },
  ],
])('the file %s', (name, openIt) => {
  it('with any byte flipped, or cut off, is refused, named, not shown and left as it is', async () => {
    const box = options()
    await openIt(box)
    const path = join(box.dataDir, name)
    const sound = readFileSync(path)
    const damages = [...sound.keys()].map((at) => {
      const bytes = Buffer.from(sound)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
      return bytes
    })
    damages.push(Buffer.alloc(0), sound.subarray(0, sound.length - 1), sound.subarray(0, 50), Buffer.alloc(sound.length), Buffer.from('{}'), Buffer.from('[]'), Buffer.concat([sound, sound]))
    for (const bytes of damages) {
      writeFileSync(path, bytes)
      const thrown: unknown = await openIt(box).catch((error: unknown) => error)
      expect(thrown).toMatchObject({ kind: 'unavailable', code: 'secret-damaged', message: expect.stringContaining(path) })
      for (const secret of Object.values(JSON.parse(sound.toString()) as Record<string, string>))
        if (secret.length > 20) expect(inspect(thrown)).not.toContain(secret)
      expect(readFileSync(path).equals(bytes)).toBe(true)
    }
    writeFileSync(path, sound)
    await openIt(box)
  })

  it('open to others is closed, with a warning; its folder too', async () => {
    const { log, lines } = collectingLog()
    const box = options(undefined, log)
    const before = await openIt(box)
    const path = join(box.dataDir, name)
    chmodSync(path, 0o644)
    chmodSync(box.dataDir, 0o755)
    expect(await openIt(box)).toBe(before)
    expect([modeOf(path), modeOf(box.dataDir)]).toEqual([0o600, 0o700])
    expect(lines.filter((line) => line.startsWith('<4>'))).toEqual([expect.stringContaining('mode=755'), expect.stringContaining('mode=644')])
  })

  it('that is a folder, a link, or huge is refused', async () => {
    const folder = options()
    mkdirSync(join(folder.dataDir, name))
    await expect(openIt(folder)).rejects.toMatchObject({ field: 'file' })
    const link = options()
    const elsewhere = options()
    await openIt(elsewhere)
    symlinkSync(join(elsewhere.dataDir, name), join(link.dataDir, name))
    await expect(openIt(link)).rejects.toMatchObject({ field: 'file' })
    const huge = options()
    writeFileSync(join(huge.dataDir, name), '')
    truncateSync(join(huge.dataDir, name), 1 << 30)
    await expect(openIt(huge)).rejects.toMatchObject({ field: 'file' })
  })

  it('drafted when the power went is forgotten', async () => {
    const box = options()
    writeFileSync(join(box.dataDir, `${name}.new`), 'half a secret')
    await openIt(box)
    expect(readdirSync(box.dataDir)).toEqual([name])
  })

  it('that cannot be written gives an error and no half file', async () => {
    const box = options()
    mkdirSync(join(box.dataDir, `${name}.new`, 'in the way'), { recursive: true })
    await expect(openIt(box)).rejects.toMatchObject({ kind: 'unavailable', code: 'secret-unavailable' })
    expect(existsSync(join(box.dataDir, name))).toBe(false)
  })

  // A full disk of its own needs root; `make test` runs as root.
  if (process.getuid?.() === 0)
    it('on a full device gives an error and no half file', async () => {
      const box = options()
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=0700', 'meshbox-test', box.dataDir])
      onTestFinished(() => {
        execFileSync('umount', ['--lazy', box.dataDir])
      })
      expect(() => writeFileSync(join(box.dataDir, 'filler'), Buffer.alloc(65_536))).toThrow(/ENOSPC/)
      await expect(openIt(box)).rejects.toMatchObject({ code: 'secret-unavailable', message: expect.stringContaining('no room') })
      expect(existsSync(join(box.dataDir, name))).toBe(false)
    })
})

describe('a data folder that is not ours', () => {
  it('is not closed to the rest of the system', async () => {
    const { log, lines } = collectingLog()
    const box = options(undefined, log)
    writeFileSync(join(box.dataDir, 'passwd'), '')
    chmodSync(box.dataDir, 0o755)
    await openIdentity(box)
    expect(modeOf(box.dataDir)).toBe(0o755)
    expect(modeOf(join(box.dataDir, 'identity.key'))).toBe(0o600)
    expect(lines[0]).toContain('folder of its own')
  })
})
