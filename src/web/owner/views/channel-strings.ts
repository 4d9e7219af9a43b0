/** Words of the channels page. Plain English for somebody who runs a shop, not a node. */
import { showDuration } from '../format.ts'

const plural = (count: number, one: string, many: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : many}`
/** How long blocks are is known only with a chain. */
const blocks = (count: number, seconds: number | null): string => `${plural(count, 'block', 'blocks')}${seconds === null ? '' : `, about ${showDuration(count * seconds)}`}`

export const title = 'Channels'
export const lead = 'Money that moves between you and others at once, without waiting for the chain.'
export const open = 'Open a channel'
export const pay = 'Pay'

export const stateTitle = { starting: 'Starting', ready: 'Ready', offline: 'Off line', halted: 'Halted until you have looked' } as const
export const stateText = {
  starting: 'The box is looking at its channels.',
  ready: 'Payments go to whoever a channel leads to.',
  offline: 'The box cannot see the chain. Payments to partners go on up to a limit; those over other boxes wait.',
  halted: 'Nothing moves. Look at the alarm: meshbox channel status on the box tells more.',
} as const
export const levels = { starting: 'warn', ready: 'ok', offline: 'warn', halted: 'bad' } as const
export const alarmLooked = 'I have looked'
export const alarmPasses = 'This goes away by itself when its reason does.'
export const alarmTitle = 'Have you looked?'
export const alarmMeans = (code: string): string =>
  code === 'chain-gap' || code === 'chain-lost'
    ? 'The box reads every channel anew from the contract, with proof, and goes on from what that says. Channels that do not fit it are closed. Where nothing can be proved now, the alarm stays.'
    : 'The alarm is taken away. Nothing else changes: a channel that was stopped stays stopped until you end it.'
export const alarmCleared = 'Taken away.'
export const alarmSince = (when: string): string => `since ${when}`

export const phases: Readonly<Record<string, string>> = {
  opened: 'Open',
  closing: 'Closing',
  closed: 'Closed, waiting',
  settling: 'Being paid out',
  settled: 'Over',
  withdrawing: 'Money is taken out',
  'cooperative-settling': 'Closing together',
  'partner-cooperative-settling': 'Closing together',
  'partner-withdrawing': 'Partner takes money out',
  'prepare-cooperative-settle': 'Getting ready to close',
  error: 'Frozen',
}
export const connected = 'connected'
export const notConnected = 'not connected'
export const roles = { core: 'carries payments of others', leaf: 'only between you two' } as const
export const withWhom = 'With'
export const yours = 'Yours'
export const theirs = 'Theirs'
export const promised = (own: string, partner: string): string => `Promised and not decided yet: ${own} of yours, ${partner} of theirs.`
export const advice = (phase: string): string =>
  phase === 'error'
    ? 'Nothing more can be paid through it. Close it without the partner to get your money back.'
    : phase === 'closed' || phase === 'closing'
      ? 'You need do nothing. Keep the box on and connected until the money is paid out.'
      : 'Keep the box on and connected. If it stays like this, close the channel.'
export const paidOutAfter = (block: number, left: number | null, seconds: number | null): string =>
  `Paid out after block ${block.toLocaleString('en')}${left === null ? '' : left === 0 ? ', any moment now' : `: ${blocks(left, seconds)} to go`}.`

export const none = 'No channels yet'
export const noneText = 'Open one with a neighbour’s box, or with somebody you pay often. Both put money in; from then on it moves at once and for nothing.'

export const payments = 'Payments'
export const paymentsNone = 'What was paid and received over channels will stand here.'
export const paidTo = 'To'
export const paidFrom = 'From'
export const carriedFor = 'Carried for'
export const paymentStates = { started: 'started', cancellable: 'under way', committed: 'nearly done', done: 'done', cancelled: 'called back', failed: 'failed' } as const
export const feeOf = (amount: string): string => `fee ${amount}`
export const earnedFee = (amount: string): string => `earned ${amount}`
export const callBack = 'Call back'
export const calledBack = 'Called back. What was set aside comes free soon.'

export const duties = 'On the way into the chain'
export const dutiesText = 'The box does these by itself. Some have a time by which they must be done, so keep it on and connected.'
export const dutyKinds: Readonly<Record<string, string>> = {
  open: 'Open the channel',
  'open-for': 'Open a channel for a guest',
  deposit: 'Put money in',
  close: 'Close without the partner',
  update: 'Show the newest state',
  'update-delegate': 'Stand in for a neighbour',
  'register-secret': 'Make a secret public',
  unlock: 'Fetch a promised amount',
  punish: 'Answer a fraud',
  claim: 'Fetch what was streamed',
  withdraw: 'Take money out',
  'cooperative-settle': 'Close together',
  settle: 'Pay out',
  wrap: 'Coins into tokens',
  unwrap: 'Tokens into coins',
  'send-coin': 'Send coins',
  purse: 'Carry out a guest’s order',
}
export const dutyLeft = (left: number | null, seconds: number | null): string => (left === null ? 'no hurry' : left === 0 ? 'due now' : `within ${blocks(left, seconds)}`)

export const earned = 'Earned'
export const earnedNone = 'Carrying payments of others earns fees, and guests can pay by the second. What comes in stands here.'
export const fees = 'for carrying payments'
export const streams = 'by the second, from guests'

export const box = 'This box'
export const account = 'Account'
export const accountHint = 'Others open channels with this.'
export const gas = 'For transactions'
export const originalNodes = 'Original Photon nodes'
export const originalGas = (gas: string): string => `${gas} for gas`
export const originalShut = 'not listening yet'
export const gasNone = 'not known yet'
export const gasEmpty = 'Nothing can be opened or closed without it: send some coins to the account.'
export const asTokens = 'As tokens'
export const coins = 'Turn into tokens or back'
export const coinsTitle = 'Coins and tokens'
export const coinsWrap = 'Coins into tokens'
export const coinsWrapHint = (symbol: string): string => `Channels hold ${symbol}, one for each coin.`
export const coinsUnwrap = 'Tokens into coins'
export const coinsUnwrapHint = 'Coins pay for transactions. What lies in a channel has to be taken out first.'
export const coinsThere = (sum: string): string => `There are ${sum}.`
export const coinsConsequence = 'It stays yours, in the same account, and can be turned back at any time. It costs a transaction; some coins stay behind to pay for more of those.'
export const coinsButton = { wrap: 'Turn into tokens', unwrap: 'Turn into coins' } as const
export const coinsDone = 'Ordered. It counts as soon as the chain has it.'
export const dialAt = 'Reachable at'
export const dialNowhere = 'Nobody can dial it; it dials others.'
export const guards = 'Guards'
export const guardsText = (jobs: number, guarded: number): string => `${plural(guarded, 'channel is', 'channels are')} guarded by neighbours; the box guards ${jobs.toLocaleString('en')} of others.`

// dialogs
export const chosenToken = 'Token'
export const tokenAddress = 'Address of the token'
export const tokenUnnamed = 'The box knows no token by name, so amounts are the smallest units of this one. The settings of the channels can name it.'
export const smallestUnits = 'units'
export const amount = 'Amount'
export const amountWrong = 'Type an amount, such as 2.50.'
export const account0x = '0x and 40 letters or digits'
export const accountWrong = 'This is not an account: 0x and 40 letters or digits.'

export const openTitle = 'Open a channel'
export const openPartner = 'Account of the other side'
export const openKind = 'Who is it with?'
export const openLeaf = 'Somebody you pay, or who pays you'
export const openLeafHint = 'Carries no payments of others.'
export const openCore = 'Another box'
export const openCoreHint = 'Carries payments of others for a fee. Both sides should put in plenty.'
export const openConsequence = (sum: string | null): string =>
  `${sum ?? 'The amount'} leaves the box’s account and stays in the contract until the channel ends. You can take it out together with the other side at any time; without it, only after a waiting time. Opening takes a few minutes and costs a transaction.`
export const openButton = (sum: string | null): string => (sum === null ? 'Open' : `Lock ${sum} and open`)
export const openDone = 'Ordered. It is open as soon as the chain has it.'

export const payTitle = 'Pay over channels'
export const payTarget = 'Account to pay'
export const payNote = 'Message to the receiver'
export const payDirect = 'Only over a channel with the receiver'
export const payDirectHint = 'Costs no fee, and also works while the chain is out of sight.'
export const payLook = 'Look for a way'
export const payNoWay = 'No way carries this much there now. Try less, or open a channel with the receiver.'
export const paySum = 'You pay'
export const payFee = (fee: string, between: number): string => (between === 0 ? 'Over a channel of your own, for no fee.' : `With at most ${fee} fee, over ${plural(between, 'other box', 'other boxes')}.`)
export const payWay = 'Its way'
export const payRule = 'A payment that has arrived cannot be taken back.'
export const payButton = (sum: string): string => `Pay ${sum}`
export const payDone = 'Paid.'
export const payUnderWay = 'The payment is under way.'
export const payFailed = (why: string): string => `It did not get there: ${why}. Nothing was paid.`

export const deposit = 'Add money'
export const depositTitle = 'Add money to the channel'
export const depositConsequence = 'It leaves the box’s account and stays in the channel until you take it out or close. It costs a transaction.'
export const depositDone = 'Ordered. It counts as soon as the chain has it.'
export const withdraw = 'Take out'
export const withdrawTitle = 'Take money out'
export const withdrawConsequence = 'It goes to the box’s account; the channel stays open. The other side has to agree, so it must be connected. It costs a transaction.'
export const withdrawMost = (sum: string): string => `At most ${sum}.`
export const withdrawDone = 'Asked. The money comes as soon as the chain has it.'
export const close = 'End channel'
export const closeTitle = 'End the channel'
export const closeHow = 'How?'
export const closeTogether = 'Together with the other side'
export const closeTogetherHint = 'Both get their money with one transaction, in a few minutes. The other side must be connected and agree.'
export const closeAlone = 'Alone'
export const closeAloneHint = (count: number, seconds: number | null): string => `None of the money can be used for ${blocks(count, seconds)}, then it is paid out. Keep the box on meanwhile.`
export const closeKeeps = (sum: string): string => `You get about ${sum}.`
export const closeButton = 'End it'
export const closeDone = 'Ordered.'
export const closeRefused = (reason: string): string => `The other side did not want to end it together: ${reason}.`
export const closeRefusedAgain = 'You can ask again later, or end it alone.'
export const closeRefusedAlone = 'You can end it alone.'
export const facts = { id: 'Channel', put: 'Put in, you and they', opened: 'Opened', timeout: 'Waiting time', token: 'Token' } as const
export const openedIn = (block: number): string => `block ${block.toLocaleString('en')}`
export const waitBlocks = blocks
