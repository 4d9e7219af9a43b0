/** What the tools for Photon have in common: which contract signatures are for, hex from standard input, and their answer, one line of JSON whatever happens. */
import { MeshBoxError, fromHex, inputError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import { textOption, usageError } from '../command.ts'
import type { Context, OptionSpec, Result } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'

export const CHAIN_OPTION: OptionSpec = { name: 'chain-id', value: 'NUMBER', help: 'what the contract answers to chain_id()' }
export const CONTRACT_OPTION: OptionSpec = { name: 'contract', value: 'ADDRESS', help: "the contract's address" }

/** Loaded only by a tool that runs. */
export type Inspect = typeof import('../../photon/wire/inspect/index.ts')
type Answer = object & { readonly ok: boolean }

export async function photonAnswer(work: (inspect: Inspect) => Promise<Answer> | Answer): Promise<Result> {
  const { photon: inspect } = await import('./tool-room.ts')
  try {
    return shown(await work(inspect))
  } catch (thrown) {
    if (!(thrown instanceof MeshBoxError) || thrown.code === 'usage' || thrown.kind === 'internal') throw thrown
    const refusal = { ok: false, error: thrown.code, ...(thrown.field === undefined ? {} : { field: thrown.field }), reason: thrown.message }
    return shown(refusal)
  }
}

function shown(answer: Answer): Result {
  return { json: answer, text: JSON.stringify(answer), exitCode: answer.ok ? EXIT_OK : EXIT_FAILED }
}

/** Errors: usage. */
export function domainOptions(context: Context): { readonly chainId: bigint | null; readonly contract: Address | null } {
  const chain = textOption(context, 'chain-id')
  if (chain !== undefined && !/^\d{1,78}$/.test(chain)) throw usageError(`--chain-id: '${chain}' is not a number`)
  return { chainId: chain === undefined ? null : BigInt(chain), contract: addressOption(context, 'contract') }
}

/** Errors: usage. */
export function addressOption(context: Context, name: string): Address | null {
  const text = textOption(context, name)
  return text === undefined ? null : addressOf(text, `--${name}`)
}

/** Errors: usage. */
export function addressOf(text: string, what: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw usageError(`${what}: '${text}' is not an address, 0x and 40 hex digits`)
  return text.toLowerCase() as Address
}

export function isJson(text: string): boolean {
  return /^\s*[{["]/.test(text)
}

/** Digits may stand in several lines. Errors: input `packet`. */
export function packetOf(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '')
  if (digits === '' || digits === '0x') throw inputError('packet', text.slice(0, 10), 'hex digits')
  return fromHex(digits, 'packet')
}
