/**
 * Our contracts as scripts/contracts.ts compiled them (contracts/*.sol). The sources are meant to be read; these
 * bytes are what a genesis holds, and a test compiles them again and compares.
 */
import type { Hex } from '../codec/fields.ts'
import anmap from './artifacts/Anmap.json' with { type: 'json' }
import chief from './artifacts/Chief.json' with { type: 'json' }
import chiefBase from './artifacts/ChiefBase.json' with { type: 'json' }
import communityToken from './artifacts/CommunityToken.json' with { type: 'json' }
import poc from './artifacts/Poc.json' with { type: 'json' }
import wrappedSmt from './artifacts/WrappedSmt.json' with { type: 'json' }

export type ContractName = 'Chief' | 'ChiefBase' | 'Poc' | 'Anmap' | 'WrappedSmt' | 'CommunityToken'

export interface Artifact {
  /** As `ethers.Interface` takes it. */
  readonly abi: readonly object[]
  /** Constructor and code; its arguments follow behind. */
  readonly bytecode: Hex
  /** What stands in an account. */
  readonly runtime: Hex
}

const artifact = (json: { readonly abi: readonly object[]; readonly bytecode: string; readonly runtime: string }): Artifact => ({ abi: json.abi, bytecode: json.bytecode as Hex, runtime: json.runtime as Hex })

/** Marked as pure: a service that makes no chain does not carry them. */
export const ARTIFACTS: Readonly<Record<ContractName, Artifact>> = {
  Chief: /* @__PURE__ */ artifact(chief),
  ChiefBase: /* @__PURE__ */ artifact(chiefBase),
  Poc: /* @__PURE__ */ artifact(poc),
  Anmap: /* @__PURE__ */ artifact(anmap),
  WrappedSmt: /* @__PURE__ */ artifact(wrappedSmt),
  CommunityToken: /* @__PURE__ */ artifact(communityToken),
}
