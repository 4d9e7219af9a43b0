/** `meshbox chain checkpoint` */
import type { CommandSpec } from '../command.ts'
import { chainCheckpointText } from './chain-text.ts'

export const chainCheckpoint: CommandSpec = {
  words: ['chain', 'checkpoint'],
  summary: 'a block for other boxes to start from',
  details: `The newest end of a round that is final, as checkpoint_file takes it. Two of the
keys that the other box names (checkpoint_keys) have to sign it before it is taken.`,
  run: async ({ service }) => {
    const checkpoint = await service.call('chainCheckpoint', {})
    return { json: checkpoint, text: chainCheckpointText(checkpoint) }
  },
}
