/**
 * What the tools have in common: their input from standard input, the network they judge by, and their answer, one
 * line of JSON whatever happens. Exit code 1 where a rule is broken or the input is malformed.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Network } from '../../spectrum/index.ts'
import { textOption, usageError } from '../command.ts'
import type { Context, OptionSpec, Result } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'
import { readTextFile } from '../files.ts'

export const NETWORK_OPTION: OptionSpec = { name: 'network', value: 'NAME', help: "mainnet (default), testnet, devnet, or a community's join file" }
export const PARENT_OPTION: OptionSpec = { name: 'parent', value: 'HEX', help: 'header before it: links, times, gas, VRF are judged' }

const MAX_INPUT_BYTES = 24 * 1024 * 1024
const MAX_JOIN_FILE_BYTES = 1 << 20

export type ToolAnswer = Readonly<Record<string, unknown>> & { readonly ok: boolean }
/** Loaded only by a tool that runs: the arithmetic would slow every other command down. */
export type Inspect = typeof import('../../spectrum/rpc/inspect/index.ts')

export async function toolAnswer(work: (inspect: Inspect) => Promise<ToolAnswer> | ToolAnswer): Promise<Result> {
  const { inspect } = await import('./chain-room.ts')
  try {
    return shown(await work(inspect))
  } catch (thrown) {
    if (thrown instanceof inspect.RpcError) return shown({ ok: false, error: 'bad-input', ...(thrown.data as object), reason: thrown.message })
    if (!(thrown instanceof MeshBoxError) || thrown.code === 'usage' || thrown.kind === 'internal') throw thrown
    return shown({ ok: false, error: thrown.code, ...(thrown.field === undefined ? {} : { field: thrown.field }), reason: thrown.message })
  }
}

function shown(answer: ToolAnswer): Result {
  return { json: answer, text: JSON.stringify(answer), exitCode: answer.ok ? EXIT_OK : EXIT_FAILED }
}

export function readInput(context: Context): Promise<string> {
  return context.io.readStdin(MAX_INPUT_BYTES)
}

/** Errors: usage for a name that is neither a network nor a file. */
export async function networkOption(context: Context, inspect: Inspect): Promise<Network> {
  const { PUBLIC_NETWORKS, publicNetwork } = inspect
  const name = textOption(context, 'network') ?? 'mainnet'
  if (PUBLIC_NETWORKS.some((known) => known.name === name)) return publicNetwork(name)
  if (!/[./]/.test(name)) throw usageError(`--network: '${name}' is not allowed; allowed: ${PUBLIC_NETWORKS.map((known) => known.name).join(', ')}, or the path of a join file`)
  const { decodeJoinFile } = await import('./chain-room.ts')
  return decodeJoinFile(inspect.toolCurve(), await readTextFile(context.io, name, MAX_JOIN_FILE_BYTES)).community.network
}

/** Hex of an option. Errors: usage. */
export function hexOption(context: Context, inspect: Inspect, name: string): Uint8Array | null {
  const text = textOption(context, name)
  if (text === undefined) return null
  try {
    return inspect.readHex(text, name)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) throw usageError(`--${name}: ${thrown.message}`)
    throw thrown
  }
}
