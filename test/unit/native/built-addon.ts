/** The addon under test, built from this tree first if it is not up to date. */
import { addonPath, buildNative } from '../../../scripts/native.ts'

export async function builtAddon(target: 'host' | 'host-asan' = 'host'): Promise<string> {
  await buildNative(target)
  return addonPath(target, 'secp256k1')
}
