/** What a first block holds is what the constructors make: code and storage, byte for byte. */
import { expect, it } from 'vitest'
import { bytesOf, concatBytes, hexOf } from '../../../src/base/index.ts'
import type { Hex } from '../../../src/base/index.ts'
import { encodeValues } from '../../../src/photon/chain/abi.ts'
import { genesisContracts } from '../../../src/photon/contracts/index.ts'
import { PHOTON_ARTIFACTS } from '../../../src/photon/contracts/artifacts.ts'
import { SpectrumPort } from '../photon-chain/spectrum-port.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'

const MAKER = person(720)
const SLOTS = 8n

it('the contracts of a first block are those that transactions would have made', async () => {
  const chain = await SpectrumPort.of([MAKER], undefined)
  const creation = (bytecode: string, ...values: readonly (bigint | Hex)[]): Uint8Array => concatBytes(bytesOf(bytecode as Hex), encodeValues(values))
  const SecretRegistry = await chain.deploy(MAKER, creation(PHOTON_ARTIFACTS.SecretRegistry.bytecode))
  const PhotonV2 = await chain.deploy(MAKER, creation(PHOTON_ARTIFACTS.PhotonV2.bytecode, chain.chainId, SecretRegistry))
  const Purse = await chain.deploy(MAKER, creation(PHOTON_ARTIFACTS.Purse.bytecode, chain.chainId, PhotonV2))
  const head = chain.head()
  if (head === null) throw new Error('no chain')
  for (const { name, address, code, storage } of genesisContracts((bytes) => native.keccak256(bytes), chain.chainId, { SecretRegistry, PhotonV2, Purse })) {
    expect([name, hexOf(code)]).toEqual([name, hexOf(chain.codeOf(address))])
    for (let slot = 0n; slot < SLOTS; slot++) expect([name, slot, storage.get(slot) ?? 0n]).toEqual([name, slot, await chain.storage(head, address, slot)])
  }
})
