/** `meshbox chain checkpoint` */
import type { CommandSpec } from '../command.ts'
import { chainCheckpointText } from './chain-text.ts'

export const chainCheckpoint: CommandSpec = {
  words: ['chain', 'checkpoint'],
  summary: 'the newest final end of a round, for other boxes to start from',
  details: `Two of the keys that the other box names (checkpoint_keys) have to sign it before it is
taken.`,
  run: async ({ service }) => {
    const checkpoint = await service.call('chainCheckpoint', {})
    return { json: checkpoint, text: chainCheckpointText(checkpoint) }
  },
}
