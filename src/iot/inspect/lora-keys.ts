/** Which keys somebody gave, under the names of the specification. */
import { inputError } from '../../base/index.ts'
import { openSessionKeys } from '../lorawan/index.ts'
import type { SessionCiphers } from '../lorawan/index.ts'
import type { SessionKeys } from '../ports.ts'
import type { Given } from './given.ts'

export interface GivenKeys {
  /** What MICs can be judged with; null: no network key was given. */
  readonly session: SessionCiphers | null
  readonly hasAppSKey: boolean
  readonly is11: boolean
}

/** 1.0: nwkSKey, appSKey. 1.1: fNwkSIntKey, sNwkSIntKey, nwkSEncKey, appSKey. Errors: input when they are mixed. */
export function sessionOf(given: Given): GivenKeys {
  const nwkSKey = given.key('nwkSKey')
  const [fNwkSIntKey, sNwkSIntKey, nwkSEncKey] = [given.key('fNwkSIntKey'), given.key('sNwkSIntKey'), given.key('nwkSEncKey')]
  const appSKey = given.key('appSKey')
  const nothing = new Uint8Array(16)
  if (nwkSKey !== null && (fNwkSIntKey ?? sNwkSIntKey ?? nwkSEncKey) !== null) throw inputError('nwkSKey', 'beside keys of 1.1', 'nwkSKey (1.0), or fNwkSIntKey, sNwkSIntKey and nwkSEncKey (1.1)')
  const opened = (keys: Omit<SessionKeys, 'appSKey'>, is11: boolean): GivenKeys => ({ session: openSessionKeys({ ...keys, appSKey: appSKey ?? nothing }, is11), hasAppSKey: appSKey !== null, is11 })
  if (nwkSKey !== null) return opened({ fNwkSIntKey: nwkSKey, sNwkSIntKey: nwkSKey, nwkSEncKey: nwkSKey }, false)
  if (fNwkSIntKey !== null && sNwkSIntKey !== null && nwkSEncKey !== null) return opened({ fNwkSIntKey, sNwkSIntKey, nwkSEncKey }, true)
  if ((fNwkSIntKey ?? sNwkSIntKey ?? nwkSEncKey) !== null) throw inputError('fNwkSIntKey', 'not all three', 'fNwkSIntKey, sNwkSIntKey and nwkSEncKey together')
  // Only the application's key: it opens payloads, and judges nothing.
  if (appSKey !== null) return { session: openSessionKeys({ fNwkSIntKey: nothing, sNwkSIntKey: nothing, nwkSEncKey: nothing, appSKey }, false), hasAppSKey: true, is11: false }
  return { session: null, hasAppSKey: false, is11: false }
}

/** True when a MIC can be judged, and MAC commands on port 0 be read. */
export function hasNetworkKey(given: Given): boolean {
  return given.has('nwkSKey') || given.has('fNwkSIntKey')
}
