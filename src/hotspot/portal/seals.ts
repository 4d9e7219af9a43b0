/**
 * What the page carries instead of cookies: short HMAC-SHA-256 seals under a key that is drawn at each
 * start and never leaves the process. Each seal is bound to the device's MAC address and to one purpose,
 * so that nobody can make another guest's browser send a form, or put a link on his page.
 *
 *   form         base64url of the first 18 bytes of HMAC(key, "form" ‖ 0 ‖ mac)
 *   destination  the same of HMAC(key, "destination" ‖ 0 ‖ mac ‖ 0 ‖ url)
 *   api          base64url of mac (6 bytes) ‖ first 12 bytes of HMAC(key, "api" ‖ 0 ‖ mac)
 */
import { createHmac } from 'node:crypto'
import { concatBytes, equalBytesConstantTime, fromHex, toBase64Url, toHex, utf8 } from '../../base/index.ts'
import type { MacAddress } from '../gate/types.ts'

const SEAL_BYTES = 18
const API_TAG_BYTES = 12

export class Seals {
  readonly #key: Uint8Array

  /** `key`: 32 random bytes. */
  constructor(key: Uint8Array) {
    this.#key = key
  }

  formToken(mac: MacAddress): string {
    return this.#text('form', mac)
  }

  isFormToken(mac: MacAddress, token: string): boolean {
    return sameText(token, this.formToken(mac))
  }

  sealDestination(mac: MacAddress, url: string): string {
    return this.#text('destination', `${mac}\0${url}`)
  }

  isDestination(mac: MacAddress, url: string, seal: string): boolean {
    return sameText(seal, this.sealDestination(mac, url))
  }

  /** 24 characters that stand for a device in the address of the captive portal API. */
  apiName(mac: MacAddress): string {
    const address = fromHex(mac.replaceAll(':', ''))
    return toBase64Url(concatBytes(address, this.#hmac('api', mac).slice(0, API_TAG_BYTES)))
  }

  /** null if it is not a name that this process gave out. */
  macOfApiName(name: string): MacAddress | null {
    if (!/^[A-Za-z0-9_-]{24}$/.test(name)) return null
    const mac = toHex(new Uint8Array(Buffer.from(name, 'base64url').subarray(0, 6))).replace(/..(?=.)/g, '$&:')
    return sameText(name, this.apiName(mac)) ? mac : null
  }

  #text(purpose: string, content: string): string {
    return toBase64Url(this.#hmac(purpose, content).slice(0, SEAL_BYTES))
  }

  #hmac(purpose: string, content: string): Uint8Array {
    return new Uint8Array(createHmac('sha256', this.#key).update(`${purpose}\0${content}`).digest())
  }
}

function sameText(given: string, right: string): boolean {
  return equalBytesConstantTime(utf8(given), utf8(right))
}
