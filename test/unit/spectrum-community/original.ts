/**
 * The original's contracts, as they stand in the state of the public test chain (origin named in
 * test/vectors/spectrum): chief 1.0.0, its base, its POC, and an Anmap whose maps lie two slots further. Only
 * their code is taken; it is put where ours lies.
 */
import { DEVNET as DEVNET_NETWORK } from '../../../src/spectrum/network/networks.ts'
import { readAccount, readCode } from '../../../src/spectrum/proof/account.ts'
import type { Address } from '../../../src/spectrum/index.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET_NODES, HEAD_STATE_ROOT } from '../spectrum/devnet.ts'

const CHIEF: Address = '0x21c5dc409138205291d6a7ef2dbb1701ac02ff96'

export const ORIGINAL: Readonly<Record<'Chief' | 'ChiefBase' | 'Poc' | 'Anmap', Uint8Array>> = {
  Chief: codeOf(CHIEF),
  ChiefBase: codeOf(DEVNET_NETWORK.chiefBase),
  Poc: codeOf(DEVNET_NETWORK.poc),
  Anmap: codeOf(DEVNET_NETWORK.anmap?.address ?? CHIEF),
}

function codeOf(address: Address): Uint8Array {
  const nodeOf = (hash: `0x${string}`): Uint8Array | undefined => DEVNET_NODES.get(hash)
  const account = readAccount(native, HEAD_STATE_ROOT, address, nodeOf)
  const code = account.kind === 'read' ? readCode(native, account.value.codeHash, nodeOf) : account
  if (code.kind !== 'read' || code.value.length === 0) throw new Error(`no code at ${address} in the vectors`)
  return code.value
}
