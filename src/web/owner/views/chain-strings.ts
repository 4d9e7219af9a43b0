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

export const money = 'The box’s own coins'
export const moneyNone = 'Not known until the chain can be asked.'
export const amount = 'Amount'
export const amountWrong = 'Type an amount, such as 2.50.'
export const address0x = '0x and 40 letters or digits'
export const addressWrong = 'This is not an address: 0x and 40 letters or digits.'
export const passwordWrong = 'Type the password.'
export const send = 'Send coins'
export const sendTitle = 'Send coins to another wallet'
export const sendTo = 'Address of the wallet'
export const sendMost = (sum: string): string => `There are ${sum}; the fee comes on top.`
export const sendRule = 'Coins that were sent cannot be taken back, and a wrong address loses them. Sent twice, they are paid twice.'
export const sendButton = (sum: string | null): string => (sum === null ? 'Send' : `Send ${sum}`)
export const sent = (sum: string): string => `${sum} are on their way, in one of the next blocks.`

export const poc = 'Deposit for making blocks'
export const pocText = 'Boxes with a deposit are drawn by lot for each round. After a missed turn the box takes part again by itself.'
export const pocElsewhere = 'Its coins go to another wallet, which has to send the deposit itself: meshbox chain poc bind on the box tells how.'
export const pocUnknown = 'Not known yet'
export const pocUnderWay = (kind: string): string => `On its way: ${kind}.`
export const pocStates = {
  'not-deposited': 'None put down',
  withdrawn: 'Taken back',
  waiting: 'Waiting to be drawn',
  picked: 'Drawn for the next round',
  active: 'In this round',
  missed: 'Missed a turn',
  stopped: 'Stopped',
  locked: 'Waiting to be taken back',
  'foreign-owner': 'Belongs to another wallet',
} as const
export const pocPays = 'The box sends this itself and pays for it from its own coins. It counts a few blocks later.'
export const pocOrders = {
  deposit: { title: 'Put down the deposit', consequence: 'It leaves the box’s coins and lies in a contract of the chain. To get it back the box has to stop and wait for as long as the chain says.', done: 'Ordered. The box takes part as soon as the chain has it.' },
  start: { title: 'Take part again', consequence: 'The box is drawn by lot again. After a missed turn not before those are forgiven.', done: 'Ordered. The box takes part again as soon as the chain has it.' },
  stop: { title: 'Stop taking part', consequence: 'The box makes no more blocks and earns nothing by them. The deposit stays where it is.', done: 'Ordered. The box stops as soon as the chain has it.' },
  withdraw: { title: 'Take the deposit back', consequence: 'The box stops making blocks, waits for as long as the chain says, and then the deposit comes back to its coins.', done: 'Ordered. The box does the rest by itself; that can take days.' },
} as const

export const branches = 'What there is to choose from'
export const branchesText = 'This chain is heavier than yours and was not taken, since it would take back too much. Ask the people behind the boxes that made it. “I have looked” stays on yours.'
export const branchTip = (value: number): string => `Another chain, up to block ${number(value)}`
export const branchFork = (fork: number, takesBack: number, has: number): string => `Apart since block ${number(fork)}: takes back ${plural(takesBack, 'block', 'blocks')} of yours, has ${number(has)}.`
export const branchTheirs = 'Made by'
export const branchOurs = 'Yours by'
export const adopt = 'Take this chain'
export const adoptTitle = 'Take the other chain?'
export const adoptConsequence = (takesBack: number): string => `${plural(takesBack, 'block', 'blocks')} of the present chain count no more. Payments that are only in those are not there any more.`
export const adoptRule = 'What was earned in them stays in the box’s books, and has to be settled by hand. This cannot be undone.'
export const adoptButton = (takesBack: number): string => `Take back ${plural(takesBack, 'block', 'blocks')}`
export const adopted = 'The other chain is taken.'
