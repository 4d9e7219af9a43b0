/** `meshbox tool block replay FILE`: runs blocks and holds what comes out against their headers. Needs no service. */
import { inputError } from '../../base/index.ts'
import type { Hash, Network } from '../../spectrum/index.ts'
import { argument, textOption } from '../command.ts'
import type { CommandSpec, Context } from '../command.ts'
import { readTextFile } from '../files.ts'
import { NETWORK_OPTION, networkOption, toolAnswer } from './tool-answer.ts'
import type { Inspect } from './tool-answer.ts'

const MAX_FILE_BYTES = 64 * 1024 * 1024
const MAX_BLOCKS = 10_000

export const toolBlockReplay: CommandSpec = {
  words: ['tool', 'block', 'replay'],
  summary: 'run a list of blocks and hold every root against its header',
  details: `FILE is JSON with a list of blocks, rlp and body in hex, ascending; - is standard
input. The first block is where the state begins and is not run. --nodes brings
state nodes and code by hash; it is not needed from a genesis on. Prints one line of
JSON with the root of every block. Works without the service. Exit code 1 when a
block does not give what its header says.`,
  arguments: [{ name: 'FILE' }],
  options: [{ name: 'nodes', value: 'FILE', help: 'JSON with state nodes: hash and node in hex' }, { ...NETWORK_OPTION, help: "as for tool header (default: as FILE says)" }],
  run: (context) =>
    context.busy(
      'running the blocks',
      toolAnswer(async (inspect) => {
        const file = inspect.parseJson(await readTextFile(context.io, argument(context, 0), MAX_FILE_BYTES), 'FILE')
        const list = Array.isArray(file) ? file : inspect.objectOf(file, 'FILE')['blocks']
        if (!Array.isArray(list) || list.length === 0 || list.length > MAX_BLOCKS) throw inputError('blocks', Array.isArray(list) ? `${list.length} blocks` : 'nothing', `a list of 1 to ${MAX_BLOCKS} blocks`)
        const blocks = list.map((block: unknown, index) => inspect.blockOfJson(inspect.objectOf(block, `blocks[${index}]`)))
        const network = await networkOf(context, inspect, file)
        const { replayBlocks } = await import('./chain-room.ts')
        const done = []
        for await (const { gasUsed, refusal, ...facts } of replayBlocks(inspect.toolCurve(), network, await readNodes(context, inspect), blocks))
          done.push({ ...facts, gasUsed: gasUsed.toString(), error: refusal?.code ?? null, reason: refusal?.reason ?? null })
        const bad = done.find((block) => block.error !== null)
        return { ok: bad === undefined, error: bad?.error ?? null, network: network.name, replayed: done.length, blocks: done }
      }),
    ),
}

async function networkOf(context: Context, inspect: Inspect, file: unknown): Promise<Network> {
  const own = Array.isArray(file) ? undefined : inspect.objectOf(file, 'FILE')['network']
  if (textOption(context, 'network') !== undefined || typeof own !== 'string') return networkOption(context, inspect)
  return inspect.publicNetwork(own)
}

/** Errors: input, naming the node. That a node has its hash is checked where it is read. */
async function readNodes(context: Context, inspect: Inspect): Promise<ReadonlyMap<Hash, Uint8Array>> {
  const path = textOption(context, 'nodes')
  if (path === undefined) return new Map()
  const file = inspect.objectOf(inspect.parseJson(await readTextFile(context.io, path, MAX_FILE_BYTES), 'nodes'), 'nodes')
  const nodes = new Map<Hash, Uint8Array>()
  for (const [hash, node] of Object.entries(inspect.objectOf(file['nodes'] ?? file, 'nodes'))) {
    const name = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(hash)?.[1]
    if (name === undefined || typeof node !== 'string') throw inputError('nodes', hash, 'hashes of 32 bytes, and nodes in hex')
    nodes.set(`0x${name.toLowerCase()}`, inspect.readHex(node, `nodes.${name}`))
  }
  return nodes
}
