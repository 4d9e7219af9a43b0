/** Words of the chain page. Plain English for somebody who runs a shop, not a node. */
const plural = (count: number, one: string, many: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : many}`
const number = (value: number): string => value.toLocaleString('en')

export const title = 'Chain'
export const lead = (name: string, isCommunity: boolean): string => (isCommunity ? `${name}, your community's own chain` : `${name}, the public chain`)

export const stateTitle = {
  live: 'Up to date, and others agree',
  alone: 'This box keeps the chain by itself',
  syncing: 'Catching up',
  offline: 'Nobody to ask',
} as const
export const stateText = {
  live: 'The box has checked every block itself, and other boxes have the same chain.',
  alone: 'No other box is connected. That is fine for a chain of one box; with more of them, see whether they are on and connected.',
  syncing: 'The box is checking blocks that were made while it was away. Balances may be old until it is done.',
  offline: 'No other box and no server answers, so new blocks cannot be seen. What is shown here was true when the last block came.',
} as const
export const haltedTitle = 'Halted until you have looked'
export const haltedText = 'The box goes on checking blocks, but takes no payments on the strength of them.'
export const behind = (blocks: number): string => `${plural(blocks, 'block', 'blocks')} to go.`

export const alarmTitle = { 'deep-reorg': 'Two chains contradict each other', 'checkpoint-conflict': 'The chain contradicts a signed checkpoint' } as const
export const alarmText = 'So that nobody loses money, the box accepts no payments over the chain until you have looked. Ask whoever runs the other boxes whether something happened. If all is well, go on.'
export const alarmLooked = 'I have looked'
export const alarmSince = (when: string): string => `Since ${when}`

export const standing = 'Where it stands'
export const head = 'Newest block'
export const safe = 'Safe'
export const safeHint = '17 blocks old: good for small payments'
export const final = 'Final'
export const finalHint = '34 blocks old: nothing takes it back'
export const notYet = 'not yet'
export const ago = (duration: string): string => `${duration} ago`
export const justNow = 'just now'
export const ageUnknown = 'age not known: the clock is not set'
export const waiting = 'Waiting payments'
export const waitingOf = (count: number): string => (count === 0 ? 'none' : number(count))
export const genesis = 'First block'

export const round = 'Whose turn it is'
export const roundText = (slots: number, seconds: number): string => `${plural(slots, 'turn', 'turns')} in a round, a block every ${plural(seconds, 'second', 'seconds')}.`
export const roundLabel = (summary: string): string => `The round as a ring. ${summary}`
export const roundSummary = (sealed: number, missed: number, own: number, nextBlock: number): string =>
  `${plural(sealed, 'block', 'blocks')} made, ${missed} missed, next is block ${number(nextBlock)}.${own > 0 ? ` ${plural(own, 'turn is', 'turns are')} yours.` : ''}`
export const nextBlock = 'next block'
export const slotStates = { sealed: 'made', 'stood-in': 'made by another', missed: 'missed', next: 'next', waiting: 'to come', open: 'free' } as const
export const own = 'yours'
export const ownBox = 'This box'
export const leader = 'leader'
export const nobody = 'nobody: a leader steps in'
export const allTurns = 'All turns of this round'
export const block = (value: number): string => number(value)
export const nextRound = (count: number, limit: number): string => `Next round: ${count} of ${limit} chosen`
export const nextRoundOwn = 'this box is among them'
export const epoch = (blocks: number): string => `Missed turns are forgiven in ${plural(blocks, 'block', 'blocks')}.`
export const twice = (signer: string, height: number): string => `${signer} made two blocks ${number(height)}. That should not happen.`

export const sealer = 'Your box makes blocks'
export const sealerOff = 'Your box checks blocks and makes none'
export const sealerOffText = 'Boxes that make blocks earn their fees. It takes a box with more memory, and a deposit; the settings of the chain turn it on.'
export const sealerStates = { ready: 'Ready for its turn', waiting: 'Waiting to be chosen', stopped: 'Missed a turn', held: 'Makes no blocks now' } as const
export const sealerText = {
  ready: 'It makes the block when its turn comes.',
  waiting: 'It has no turn in this round. Lots are drawn for every round.',
  stopped: 'It is left out until missed turns are forgiven, and starts again by itself.',
  held: '',
} as const
export const nextTurn = (duration: string): string => `Next turn in about ${duration}.`
export const today = 'Today'
export const inAll = 'In all'
export const blocksSinceStart = (sealed: number, missed: number): string => `${plural(sealed, 'block', 'blocks')} made since the box started${missed === 0 ? '' : `, ${missed} missed`}`
export const notFinal = (amount: string): string => `and ${amount} in blocks that are not final yet`
export const paidTo = 'Paid to'
export const boxAddress = 'Box'

export const sources = 'Who it asks'
export const sourcesText = 'The box believes none of them: it checks each block itself. Several that agree show that it is on the chain that all use.'
export const sourcesNone = 'Nobody is connected.'
export const sourcesNoneText = 'Other boxes, servers and neighbours in the mesh stand here as soon as they are connected.'
export const agreeing = (count: number, all: number): string => (count >= 2 ? `${count} of ${all} agree` : count === 1 ? `1 of ${all} agrees; two are needed` : 'none agrees yet')
export const sourceKinds = { eth63: 'Box or node on the network', rpc: 'Server', local: 'This box', mesh: 'Neighbour in the mesh' } as const
export const agrees = 'agrees'
export const disagrees = 'another chain'
export const notKnown = 'not known yet'
export const atBlock = (value: number): string => `block ${number(value)}`
export const banned = (count: number): string => `${plural(count, 'source', 'sources')} told provable lies and ${count === 1 ? 'is' : 'are'} not asked any more.`
