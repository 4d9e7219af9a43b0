/** `meshbox chain join FILE`: checks a join file, and lays it where the service finds it. Needs no service. */
import { MeshBoxError } from '../../base/index.ts'
import { argument, textOption, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { readTextFile, writeNewFile } from '../files.ts'
import { channelsIn } from './chain-channels.ts'
import { descriptionJson, descriptionText } from './chain-file.ts'

const MAX_JOIN_FILE_BYTES = 1 << 20

export const chainJoin: CommandSpec = {
  words: ['chain', 'join'],
  summary: "check a community's join file, and keep it for this box",
  details: `FILE is what meshbox chain new wrote on the first box, - is standard input. The
whole file is checked: its parts must give its genesis hash. Compare that hash with the
first box's, or name it with --genesis. With --output the file is kept, and the text
says what to configure. Works without the service.`,
  arguments: [{ name: 'FILE' }],
  options: [
    { name: 'genesis', value: 'HASH', help: 'genesis hash that it must have' },
    { name: 'output', value: 'PATH', help: 'keep it in this new file, e.g. /etc/meshbox/chain.json' },
  ],
  run: async (context) => {
    const wanted = textOption(context, 'genesis')
    if (wanted !== undefined && !/^0x[0-9a-fA-F]{64}$/.test(wanted)) throw usageError(`--genesis: '${wanted}' is not a hash, 0x and 64 hex digits`)
    const { decodeJoinFile, describe, genesisContracts, inspect } = await import('./chain-room.ts')
    const curve = inspect.toolCurve()
    const text = await readTextFile(context.io, argument(context, 0), MAX_JOIN_FILE_BYTES)
    const { community } = decodeJoinFile(curve, text)
    const joined = describe(curve, community.network)
    const channels = channelsIn(community.network, genesisContracts((bytes) => curve.keccak256(bytes), community.network.chainId))
    if (wanted !== undefined && wanted.toLowerCase() !== joined.genesisHash)
      throw new MeshBoxError('conflict', `this is another chain: its genesis is ${joined.genesisHash}`, { code: 'other-genesis', field: 'genesis', value: wanted })
    const output = textOption(context, 'output')
    const path = output === undefined ? null : writeNewFile(context.io, output, text, 0o644)
    const next =
      path === null
        ? ['Nothing was written: give --output to keep it.']
        : [`Kept in ${path}. Next, to verify it:`, '  uci set meshbox.chain=chain', `  uci set meshbox.chain.network='${path}'`, "  uci add_list meshbox.main.roles='light'", '  uci commit meshbox', '  /etc/init.d/meshbox restart', "To seal too: role 'sealer' instead, and your wallet as meshbox.chain.coinbase.", ...(channels === null ? [] : ["For payment channels: role 'photon' too, and", `  uci set meshbox.photon=photon`, `  uci set meshbox.photon.contract='${channels}'`])]
    return { json: { path, ...descriptionJson(joined, channels) }, text: [descriptionText(joined, channels), '', ...next].join('\n') }
  },
}
