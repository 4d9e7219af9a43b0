/** The stand-in for the original contract, compiled here and now: it is in no artifact that the box carries. */
import { readFileSync } from 'node:fs'
import solc from 'solc'
import type { Hex } from '../../../src/base/index.ts'

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, { readonly evm: { readonly bytecode: { readonly object: string } } }>>>>
}

/** Constructor and code of LegacyNetwork; its chain id follows as an ABI word. */
export function legacyNetworkCode(): Hex {
  const name = 'LegacyNetwork.sol'
  const content = readFileSync(new URL(`./solidity/${name}`, import.meta.url), 'utf8')
  const input = {
    language: 'Solidity',
    sources: { [name]: { content } },
    settings: { evmVersion: 'byzantium', optimizer: { enabled: true, runs: 200 }, viaIR: true, outputSelection: { '*': { '*': ['evm.bytecode.object'] } } },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as Output
  const fault = output.errors?.find(({ severity }) => severity === 'error')
  const code = output.contracts?.[name]?.['LegacyNetwork']?.evm.bytecode.object
  if (fault !== undefined || code === undefined) throw new Error(fault?.formattedMessage ?? 'no code')
  return `0x${code}`
}
