/** The key in the page: published vectors, and the same results as the box's own identity room. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/base/index.ts'
import { walletStatement as serverStatement } from '../../../src/hotspot/wallet/statement.ts'
import { recoverTextSigner } from '../../../src/identity/index.ts'
import { addressOf } from '../../../src/identity/address.ts'
import { privateKeyOf, wordsOf } from '../../../src/identity/recovery-words.ts'
import { nobleSigner } from '../../../src/identity/signer.ts'
import { entropyOfWords, keyOf, newEntropy } from '../../../src/web/wallet/key.ts'
import { entropyOfFragment, fragmentOf } from '../../../src/web/wallet/link.ts'
import { walletStatement } from '../../../src/web/wallet/statement.ts'

const entropyArb = fc.uint8Array({ minLength: 16, maxLength: 16 })
/** Words of the test phrases that wallets and Ethereum tools document, with the first account's address. */
const KNOWN = [
  ['test test test test test test test test test test test junk', '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'],
  ['abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about', '0x9858EfFD232B4033E47d90003D41EC34EcaEda94'],
] as const

describe('the key of twelve words', () => {
  it.each(KNOWN)('%s', (words, address) => {
    const key = keyOf(entropyOfWords(words) ?? new Uint8Array())
    expect(key.address).toBe(address)
    expect(key.words.join(' ')).toBe(words)
    expect(recoverTextSigner('hello', fromHex(key.sign('hello')))).toBe(address)
  })
  it('is the one that the box itself would derive', async () => {
    await fc.assert(
      fc.asyncProperty(entropyArb, fc.string({ unit: 'grapheme', maxLength: 80 }), async (entropy, text) => {
        const key = keyOf(entropy)
        expect(key.words).toEqual(wordsOf(entropy))
        expect(key.address).toBe(addressOf(nobleSigner.publicKeyOf(await privateKeyOf(entropy))))
        expect(recoverTextSigner(text, fromHex(key.sign(text)))).toBe(key.address)
      }),
      { numRuns: 8 },
    )
  })
  it('is new each time', () => {
    expect(newEntropy()).toHaveLength(16)
    expect(toHex(newEntropy())).not.toBe(toHex(newEntropy()))
  })
})

describe('typed words', () => {
  it('are taken in any spacing and letter case', () => {
    const [words] = KNOWN[0]
    expect(entropyOfWords(`  ${words.toUpperCase().replaceAll(' ', ' \n\t')} `)).toEqual(entropyOfWords(words))
  })
  it('that are wrong, in another order, too many or too few are no key', () => {
    const [words] = KNOWN[0]
    for (const wrong of ['', 'test', `${words} test`, words.replace('junk', 'jungk'), words.replace('junk', 'test'), `junk ${words.slice(0, -5)}`, 'test '.repeat(500)]) expect(entropyOfWords(wrong)).toBeNull()
  })
  it('whatever they are never throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => void entropyOfWords(text)))
  })
})

describe('the link', () => {
  it('gives back the key', () => {
    fc.assert(
      fc.property(entropyArb, (entropy) => {
        expect(fragmentOf(entropy)).toMatch(/^#w=[A-Za-z0-9_-]{22}$/)
        expect(entropyOfFragment(fragmentOf(entropy))).toEqual(entropy)
      }),
    )
  })
  it('has one text for each key and nothing else is one', () => {
    for (const wrong of ['', '#', '#w=', '#w=AAAAAAAAAAAAAAAAAAAAAB', '#w=AAAAAAAAAAAAAAAAAAAAA', '#w=AAAAAAAAAAAAAAAAAAAAAAA', '#w=AAAAAAAAAAAAAAAAAAAA+A', 'w=AAAAAAAAAAAAAAAAAAAAAA', '#W=AAAAAAAAAAAAAAAAAAAAAA']) expect(entropyOfFragment(wrong)).toBeNull()
    expect(entropyOfFragment('#w=AAAAAAAAAAAAAAAAAAAAAA')).toEqual(new Uint8Array(16))
    fc.assert(fc.property(fc.string({ maxLength: 40 }), (text) => entropyOfFragment(`#w=${text}`) === null || fragmentOf(entropyOfFragment(`#w=${text}`) ?? new Uint8Array()) === `#w=${text}`))
  })
})

describe('the statement', () => {
  it('is the same in the page and in the box, to the byte', () => {
    expect(walletStatement('wifi.example:2080', 'keep', 'abc')).toBe('MeshBox Wi-Fi\nHost: wifi.example:2080\nAction: keep\nChallenge: abc')
    fc.assert(fc.property(fc.string(), fc.constantFrom('keep' as const, 'open' as const), fc.string(), (host, action, challenge) => walletStatement(host, action, challenge) === serverStatement(host, action, challenge)))
  })
})
