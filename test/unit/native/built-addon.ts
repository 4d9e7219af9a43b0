/** The addon under test, built from this tree first if it is not up to date. */
import { addonPath, buildNative } from '../../../scripts/native.ts'

export async function builtAddon(target: 'host' | 'host-asan' = 'host', name = 'secp256k1'): Promise<string> {
  await buildNative(target, undefined, { only: [name] })
  return addonPath(target, name)
}
