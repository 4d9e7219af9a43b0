/** The box's chain: where it stands, the owner's word after an alarm, a checkpoint to give away. */
import type { Handler } from '../routes.ts'
import { NOTHING } from '../../request-schema.ts'

type ChainRoute = 'chain' | 'clearChainAlarm' | 'chainCheckpoint'

export const chainRoutes: { [N in ChainRoute]: Handler<N> } = {
  chain: { schema: { query: NOTHING }, run: (owner) => owner.chain() },
  clearChainAlarm: { schema: { query: NOTHING, body: NOTHING }, run: (owner) => owner.clearChainAlarm() },
  chainCheckpoint: { schema: { query: NOTHING }, run: (owner) => owner.chainCheckpoint() },
}
