/**
 * Is this form signed by the key it names, here, now, for this? Everything cheap is looked at first; a signature, some
 * 6 ms of the processor in JavaScript and ten times that on a small router, is checked only for a challenge of ours, once for
 * each, and seldom enough that nobody can keep the box busy with it.
 */
import { MeshBoxError, RateLimit, fromHex, inputError, type Clock, type Randomness } from '../../base/index.ts'
import { nobleSigner, recoverTextSigner, toChecksumAddress, type Signer } from '../../identity/index.ts'
import { CHALLENGE_TEXT, Challenges, NONCE_BYTES } from './challenges.ts'
import { walletStatement, type WalletAction } from './statement.ts'

/** A person presses a button that signs now and then; one device gets a signature checked each ten seconds. */
export const SIGNATURES_PER_DEVICE = { burst: 5, perSecond: 0.1 }
/** All devices together: what bounds the processor time. */
export const SIGNATURES_OVERALL = { burst: 20, perSecond: 2 }
const EVERYBODY = 'everybody'

export interface SignedForm {
  readonly challenge: string
  /** 0x and 40 hex digits. */
  readonly address: string
  /** 0x and 130 hex digits: r‖s‖v. */
  readonly signature: string
}

export interface WalletCheckDeps {
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly randomness: Randomness
  /** Who computes; default: noble. */
  readonly signer?: Pick<Signer, 'recover'>
}

export class WalletCheck {
  readonly #deps: WalletCheckDeps
  readonly #challenges: Challenges
  readonly #perDevice = new RateLimit(SIGNATURES_PER_DEVICE)
  readonly #overall = new RateLimit(SIGNATURES_OVERALL, 1)

  constructor(deps: WalletCheckDeps) {
    this.#deps = deps
    this.#challenges = new Challenges(deps.randomness.bytes(32))
  }

  /** For the page of this device. */
  challenge(mac: string, action: WalletAction): string {
    const { clock, randomness } = this.#deps
    return this.#challenges.issue(mac, action, clock.boottimeMs(), randomness.bytes(NONCE_BYTES))
  }

  /**
   * The EIP-55 address that signed. `host` is the authority under which the device asks. Errors: `forbidden` code
   * `page-old` (the challenge is stale, used, another device's, another action's or nobody's), `input` code
   * `bad-input` (form) or `bad-signature`, `limit` code `too-many-requests`.
   */
  verify(mac: string, host: string, action: WalletAction, form: SignedForm): string {
    const nowMs = this.#deps.clock.boottimeMs()
    const { challenge, address, signature } = form
    if (!/^0x[0-9a-fA-F]{40}$/.test(address)) throw inputError('address', address, '0x and 40 hex digits')
    if (!/^0x[0-9a-fA-F]{130}$/.test(signature)) throw inputError('signature', `${signature.length} characters`, '0x and 130 hex digits')
    if (!CHALLENGE_TEXT.test(challenge)) throw inputError('challenge', challenge, 'the 40 characters of the page')
    if (!this.#challenges.isGood(challenge, mac, action, nowMs)) throw pageOld()
    this.#limit(mac, nowMs)
    if (!this.#challenges.use(challenge, nowMs)) throw tooMany(60)
    const signer = recoverTextSigner(walletStatement(host, action, challenge), fromHex(signature, 'signature'), this.#deps.signer ?? nobleSigner)
    if (signer === null || signer !== toChecksumAddress(address))
      throw new MeshBoxError('input', 'signature: not made by this key for this page', { code: 'bad-signature', field: 'signature' })
    return signer
  }

  #limit(mac: string, nowMs: number): void {
    const wait = this.#perDevice.take(mac, nowMs)
    if (wait > 0) throw tooMany(wait)
    const overall = this.#overall.take(EVERYBODY, nowMs)
    if (overall > 0) {
      this.#perDevice.giveBack(mac, nowMs)
      throw tooMany(overall)
    }
  }
}

function pageOld(): MeshBoxError {
  return new MeshBoxError('forbidden', 'this page is out of date', { code: 'page-old', field: 'challenge' })
}

function tooMany(seconds: number): MeshBoxError {
  return new MeshBoxError('limit', `too many signatures; wait ${seconds} s`, { code: 'too-many-requests', retryAfterSeconds: seconds })
}
