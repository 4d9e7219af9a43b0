/** The chain of the box on a terminal: `meshbox chain status` and `meshbox chain checkpoint`. */
import type { ChainBlockJson, ChainCheckpointJson, ChainPageView, ChainSealerJson, ChainSlotJson } from '../../owner/api/index.ts'
import { duration, moment, pairs, plain, table, tokens, wrap } from '../text.ts'

const STATES = {
  live: 'live: sources agree',
  alone: 'alone: no other box is connected',
  syncing: 'syncing: blocks are still to be checked',
  offline: 'offline: nobody to ask; what is shown may be old',
} as const
const SLOTS: Readonly<Record<ChainSlotJson['state'], string>> = { sealed: '#', 'stood-in': '+', missed: 'x', next: '>', waiting: '.', open: '_' }
const SEALER_STATES = { ready: 'ready for its turn', waiting: 'in no round now', stopped: 'stopped after a missed slot, until the epoch ends', held: 'seals nothing now' } as const

export function chainStatusText(view: ChainPageView): string {
  const { network, round, sealer, alarm } = view
  const left = view.highestNumber === null ? 0 : view.highestNumber - view.head.number
  const parts = [
    ...(alarm === null ? [] : [wrap(`ALARM since ${moment(alarm.atWallMs)}: ${alarm.reason}`), wrap('Nothing that moves money rests on this chain until you have looked: meshbox chain branches, then meshbox chain alarm clear or meshbox chain adopt'), '']),
    pairs([
      ['Chain', `${network.name}, chain id ${network.chainId}, a block every ${network.blockSeconds} s`],
      ['State', `${STATES[view.state]}${view.state === 'syncing' && left > 0 ? `, ${left} to go` : ''}`],
      ['Head', `${blockText(view.head)}, ${view.headAgeSeconds === null ? 'age not known' : `${duration(view.headAgeSeconds)} old`}`],
      ['Safe', view.safe === null ? 'not yet' : blockText(view.safe)],
      ['Final', view.final === null ? 'not yet' : blockText(view.final)],
      ['Pool', `${view.pool.transactions} transactions`],
      ['Sources', view.sources.length === 0 ? 'none' : `${view.sources.length}, ${view.agreeing} agree${view.banned === 0 ? '' : `; ${view.banned} banned for lies`}`],
      ['Genesis', network.genesisHash],
    ]),
    '',
    pairs([
      ['Round', round.slots.map((slot) => SLOTS[slot.state]).join('')],
      ['Own slots', round.slots.map((slot) => (slot.isOwn ? '^' : ' ')).join('')],
    ]),
    wrap(`# sealed  + by another  x missed  > next  . to come  _ free. Missed slots are forgiven in ${round.epochEndsInBlocks} blocks.`),
    '',
    sealer === null ? 'This box seals no blocks.' : sealerText(sealer),
  ]
  if (view.sources.length > 0) parts.push('', sourcesText(view))
  for (const { number, signer } of view.equivocations) parts.push('', wrap(`${signer} sealed two blocks ${number}.`))
  return parts.join('\n')
}

function sealerText(sealer: ChainSealerJson): string {
  return pairs([
    ['Sealer', `${SEALER_STATES[sealer.state]}${sealer.reason === null ? '' : `: ${sealer.reason}`}${sealer.nextSlotInSeconds === null ? '' : `, next slot in ${duration(sealer.nextSlotInSeconds)}`}`],
    ['Slots', `${sealer.sealed} sealed, ${sealer.missed} missed since the service started`],
    ['Today', tokens(sealer.earnedToday, sealer.token)],
    ['In all', `${tokens(sealer.earnedTotal, sealer.token)}, and ${tokens(sealer.notFinal, sealer.token)} not final yet`],
    ['Miner', sealer.address],
    ['Coinbase', sealer.coinbase],
  ])
}

function sourcesText({ sources }: ChainPageView): string {
  const columns = [{ title: 'SOURCE', stretch: true }, { title: 'HEAD', align: 'right' as const }, { title: 'AGREES' }]
  return table(columns, sources.map((source) => [source.id, source.headNumber === null ? '-' : String(source.headNumber), source.agrees === null ? 'not known' : source.agrees ? 'yes' : 'NO']))
}

function blockText(block: ChainBlockJson): string {
  return `${block.number} ${plain(block.hash.slice(0, 18))}…`
}

/** The checkpoint itself, to be saved as it is. */
export function chainCheckpointText(checkpoint: ChainCheckpointJson): string {
  return checkpoint.text.replace(/\n$/, '')
}
