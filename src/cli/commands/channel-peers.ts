/** `meshbox channel peers` and `meshbox channel peers add ACCOUNT ADDRESS` */
import { argument, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { accountArgument, peersText } from './channel-text.ts'

export const channelPeers: CommandSpec = {
  words: ['channel', 'peers'],
  summary: 'boxes that channels are with, or that were named',
  run: async ({ service }) => {
    const peers = await service.call('photonPeers', {})
    return { json: peers, text: peersText(peers) }
  },
}

export const channelPeersAdd: CommandSpec = {
  words: ['channel', 'peers', 'add'],
  summary: 'dial a box and remember where it is',
  details: 'ADDRESS is what its own meshbox channel status shows: /ip4/192.0.2.7/tcp/4011/p2p/…',
  arguments: [{ name: 'ACCOUNT' }, { name: 'ADDRESS' }],
  run: async (context) => {
    const [account, address] = [accountArgument(context, 0, 'ACCOUNT'), argument(context, 1)]
    if (!/^\/[\x21-\x7e]{3,255}$/.test(address)) throw usageError(`ADDRESS: '${address}' is not an address such as /ip4/192.0.2.7/tcp/4011`)
    const peers = await context.busy('dialling', context.service.call('addPhotonPeer', { body: { account, address } }))
    return { json: peers, text: peersText(peers) }
  },
}
