/** `meshbox channel close CHANNEL` */
import { setTimeout as pause } from 'node:timers/promises'
import type { PhotonChannelJson } from '../../owner/api/index.ts'
import { MeshBoxError } from '../../base/index.ts'
import { hasFlag } from '../command.ts'
import type { CommandSpec, Context } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'
import { channelArgument, channelText } from './channel-text.ts'

/** A partner that is there answers within a second or two. */
const LOOKS = 20
const LOOK_MS = 250
const ASKED = 'cooperative-settling'

export const channelClose: CommandSpec = {
  words: ['channel', 'close'],
  summary: 'end a channel: both sides get what is theirs',
  details: `The partner has to agree and be connected; the money then comes with one transaction.
Its answer is waited for up to 5 seconds; exit code 1 when it refused, and says why.
With --force it is not asked: the money comes after the settle timeout, which begins
when the close is in the chain, and until then none of it can be used. That can also
be ordered while the partner's answer is awaited, or after it refused.`,
  arguments: [{ name: 'CHANNEL' }],
  options: [{ name: 'force', help: 'without the partner' }],
  run: async (context) => {
    const isForced = hasFlag(context, 'force')
    const id = await channelArgument(context, 0)
    const ordered = await context.service.call('closeChannel', { params: { id }, body: { force: isForced } })
    const channel = isForced ? ordered : await context.busy("waiting for the partner's word", answered(context, ordered))
    return { json: channel, text: channelText(channel), exitCode: !isForced && channel.closeRefusal !== null ? EXIT_FAILED : EXIT_OK }
  },
}

/** As it is when the partner has answered, or when waiting is over. One that is over is not in the list any more. */
async function answered(context: Context, ordered: PhotonChannelJson): Promise<PhotonChannelJson> {
  let channel = ordered
  for (let look = 0; look < LOOKS && channel.phase === ASKED && channel.closeRefusal === null; look++) {
    await pause(LOOK_MS)
    try {
      channel = await context.service.call('photonChannel', { params: { id: ordered.id } })
    } catch (thrown) {
      if (thrown instanceof MeshBoxError && thrown.kind === 'not-found') return { ...channel, phase: 'settled', actions: [] }
      throw thrown
    }
  }
  return channel
}
