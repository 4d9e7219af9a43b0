/** The public standards, with their own published vectors. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { fromHex, toHex, utf8 } from '../../../src/base/index.ts'
import { addressOf, compressPublicKey } from '../../../src/identity/address.ts'
import { recoverTextSigner, toChecksumAddress } from '../../../src/identity/index.ts'
import { textDigest } from '../../../src/identity/personal-message.ts'
import { entropyOf, privateKeyOf, wordsOf } from '../../../src/identity/recovery-words.ts'
import { voucherSecrets } from '../../../src/identity/voucher-secrets.ts'
import { SIGNERS } from './signers.ts'

describe('EIP-55 addresses', () => {
  it.each([
    '0x52908400098527886E0F7030069857D2E4169EE7',
    '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
    '0xde709f2102306220921060314715629080e2fb77',
    '0x27b1fdb04752bbc536007a920d24acb045561c26',
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
  ])('%s', (address) => {
    expect(toChecksumAddress(address.toLowerCase())).toBe(address)
    expect(toChecksumAddress(`0x${address.slice(2).toUpperCase()}`)).toBe(address)
    expect(toChecksumAddress(fromHex(address))).toBe(address)
  })

  it.each(['', '0x', '0x123', `0x${'g'.repeat(40)}`, 'a'.repeat(40), `0x${'a'.repeat(41)}`, new Uint8Array(19)])('refuse %j', (address) => {
    expect(() => toChecksumAddress(address)).toThrow(expect.objectContaining({ field: 'address' }))
  })
})

describe.each(SIGNERS)('BIP-39, BIP-32, BIP-44 on %s', (_name, signer) => {
  it.each([
    ['test test test test test test test test test test test junk', '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266', 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'],
    ['abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about', '0x9858EfFD232B4033E47d90003D41EC34EcaEda94', null],
  ])('%s', async (words, address, privateKey) => {
    const key = await privateKeyOf(entropyOf(words, [12]))
    if (privateKey !== null) expect(toHex(key)).toBe(privateKey)
    expect(addressOf(signer.publicKeyOf(key))).toBe(address)
  })

  it.each([
    ['00000000000000000000000000000000', 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about'],
    ['7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f', 'legal winner thank year wave sausage worth useful legal winner thank yellow'],
    ['9e885d952ad362caeb4efe34a8e91bd2', 'ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic'],
  ])('%s in words', (entropy, words) => {
    expect(wordsOf(fromHex(entropy)).join(' ')).toBe(words)
    expect(toHex(entropyOf(words, [12]))).toBe(entropy)
    expect(toHex(entropyOf(`  ${words.toUpperCase().replaceAll(' ', '\n\t ')} `, [12]))).toBe(entropy)
    expect(toHex(entropyOf(words.split(' '), [12]))).toBe(entropy)
  })

  const good = 'legal winner thank year wave sausage worth useful legal winner thank yellow'
  it.each([
    ['', /these are 0/],
    ['legal winner', /these are 2/],
    [`${good} zoo`, /these are 13/],
    [good.replace('sausage', 'sausages'), /word 6/],
    [good.replace('yellow', 'year'), /wrong/],
    ['x '.repeat(1000), /too long/],
    [good.replace('wave', "wave'; DROP"), /these are 13|word 5/],
  ])('words that are not right are refused without being shown: %j', (typed, message) => {
    let shown = ''
    try {
      entropyOf(typed, [12])
    } catch (thrown) {
      expect(thrown).toMatchObject({ kind: 'input', field: 'words' })
      shown = JSON.stringify([String(thrown), (thrown as { toPublic(): unknown }).toPublic()])
    }
    expect(shown).toMatch(message)
    expect(shown).not.toMatch(/legal|winner|sausage|DROP/)
  })
})

describe.each(SIGNERS)('EIP-191 texts on %s', (name, signer) => {
  it('are its own work', () => {
    expect(signer.backend).toBe(name)
  })

  // Published in the documentation of web3.js, web3.eth.accounts.sign.
  const key = fromHex('4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318')
  const signature = fromHex('b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c')

  it('have the published digest, signature and signer', () => {
    expect(toHex(textDigest('Some data'))).toBe('1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655')
    expect(toHex(signer.sign(textDigest('Some data'), key))).toBe(toHex(signature))
    expect(recoverTextSigner('Some data', signature, signer)).toBe('0x2c7536E3605D9C16a7a3D7b1898e529396a65c23')
  })

  it('count bytes, not characters', () => {
    expect(toHex(textDigest('é'))).not.toBe(toHex(textDigest('e')))
    expect(recoverTextSigner('Zahlung: 5 €', signer.sign(textDigest('Zahlung: 5 €'), key), signer)).toBe('0x2c7536E3605D9C16a7a3D7b1898e529396a65c23')
  })

  it('with another text have another signer', () => {
    expect(recoverTextSigner('Some date', signature, signer)).not.toBe('0x2c7536E3605D9C16a7a3D7b1898e529396a65c23')
  })

  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const withS = (s: bigint, v: number): Uint8Array => fromHex(`${toHex(signature.subarray(0, 32))}${s.toString(16).padStart(64, '0')}${v.toString(16)}`)
  const s = BigInt(`0x${toHex(signature.subarray(32, 64))}`)
  it.each([
    ['empty', new Uint8Array(0)],
    ['too short', signature.subarray(0, 64)],
    ['too long', new Uint8Array([...signature, 0])],
    ['all zero', new Uint8Array(65)],
    ['v of 0', new Uint8Array([...signature.subarray(0, 64), 0])],
    ['v of 1', new Uint8Array([...signature.subarray(0, 64), 1])],
    ['v of 29', new Uint8Array([...signature.subarray(0, 64), 29])],
    ['s of 0', withS(0n, 28)],
    ['s of the order', withS(order, 28)],
    ['the twin with high s', withS(order - s, 27)],
    ['r beyond the field', new Uint8Array([...new Uint8Array(32).fill(255), ...signature.subarray(32)])],
  ])('are not signed by %s', (_what, bytes) => {
    expect(recoverTextSigner('Some data', bytes, signer)).toBeNull()
  })

  it('property: all bytes give null or an address, never an exception', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ minLength: 60, maxLength: 70 }), fc.constantFrom(27, 28), (text, bytes, v) => {
        const tried = bytes.length === 65 ? new Uint8Array([...bytes.subarray(0, 64), v]) : bytes
        expect(recoverTextSigner(text, tried, signer) ?? '0x').toMatch(/^0x([0-9a-fA-F]{40})?$/)
      }),
      { numRuns: 50 },
    )
  })

  it('property: what is signed is recovered, with low s and v 27 or 28', () => {
    const address = addressOf(signer.publicKeyOf(key))
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const signed = signer.sign(textDigest(text), key)
        expect(signed).toHaveLength(65)
        expect([27, 28]).toContain(signed[64])
        expect(BigInt(`0x${toHex(signed.subarray(32, 64))}`) <= order / 2n).toBe(true)
        expect(recoverTextSigner(text, signed, signer)).toBe(address)
      }),
      { numRuns: 25 },
    )
  })
})

describe.each(SIGNERS)('public keys on %s', (_name, signer) => {
  it('are compressed as SEC 1 says', () => {
    // Twice and three times the generator: one y is even, the other odd.
    for (const [key, expected] of [
      [2, '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5'],
      [3, '02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9'],
      [6, '03fff97bd5755eeea420453a14355235d382f6472f8568a18b2f057a1460297556'],
    ] as const) {
      const privateKey = new Uint8Array(32)
      privateKey[31] = key
      expect(toHex(compressPublicKey(signer.publicKeyOf(privateKey)))).toBe(expected)
    }
  })
})

describe('voucher keys', () => {
  const seed = fromHex('7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f')
  const secrets = voucherSecrets(seed)

  it('are those that other implementations of HKDF, Ed25519 and HMAC make of the seed', () => {
    const derive = (info: string): Uint8Array => hkdf(sha256, seed, undefined, utf8(info), 32)
    const signing = derive('meshbox voucher signing key, version 1')
    const message = utf8('voucher')
    expect(toHex(secrets.publicKey)).toBe(toHex(ed25519.getPublicKey(signing)))
    expect(toHex(secrets.sign(message))).toBe(toHex(ed25519.sign(message, signing)))
    expect(toHex(secrets.mac(message))).toBe(toHex(hmac(sha256, derive('meshbox voucher code key, version 1'), message)))
  })

  it('never change: a printed voucher must be good tomorrow', () => {
    expect(toHex(secrets.publicKey)).toBe('1c9e132aee7ab6f35d9d285e576e0d5a2a0cba35b834eb8b30c1cdac4282960b')
    expect(toHex(secrets.mac(utf8('voucher')))).toBe('4740528bb7dcdfdc2f62f600c46ba0d60957f5ab42559ecf95ed763614290f62')
  })

  it('verify their own signatures and nothing else', () => {
    const message = utf8('600 seconds')
    const signature = secrets.sign(message)
    expect(secrets.verify(signature, message)).toBe(true)
    expect(secrets.verify(signature, utf8('601 seconds'))).toBe(false)
    expect(voucherSecrets(fromHex('00'.repeat(16))).verify(signature, message)).toBe(false)
    for (const wrong of [new Uint8Array(0), signature.subarray(0, 63), new Uint8Array([...signature, 0]), new Uint8Array(64)]) expect(secrets.verify(wrong, message)).toBe(false)
    for (let at = 0; at < 64; at++) {
      const flipped = signature.slice()
      flipped[at] = (flipped[at] ?? 0) ^ 1
      expect(secrets.verify(flipped, message)).toBe(false)
    }
  })
})
