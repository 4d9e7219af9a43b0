/** Words of the mesh page. Plain English for somebody with a box on the roof, not for who built the network. */
import { showDuration } from '../format.ts'

const plural = (count: number, one: string, many: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : many}`

export const title = 'Mesh'
export const lead = 'Boxes that reach each other without cables, carry for each other, and pay for it.'

// how it is
export const conditionTitle = { up: 'The mesh works', 'no-module': 'The mesh cannot start', 'no-interface': 'The mesh is not set up', idle: 'The mesh has no radio', refused: 'The mesh cannot be seen' } as const
export const troubleTitle = 'The mesh has trouble'
export const aloneTitle = 'Nobody is in reach'
export const aloneText = 'The mesh is on, but no other box is heard. Boxes find each other by themselves as soon as they belong to the same community and are near enough.'
export const inReach = (nodes: number, connected: number): string => `${plural(nodes, 'box is', 'boxes are')} in reach, ${connected === 0 ? 'none talks with this one' : connected === nodes ? 'all talk with this one' : `${connected} ${connected === 1 ? 'talks' : 'talk'} with this one`}.`
export const guests = (count: number): string => (count === 0 ? 'No guest is on line anywhere.' : `${plural(count, 'device', 'devices')} of guests in the whole mesh.`)
export const reachTitle = { internet: 'Internet', intermittent: 'Internet, now and then', none: 'No Internet' } as const
export const reachOwn = (name: string): string => `over this box’s own ${name}`
export const reachThrough = (names: readonly string[]): string => `over ${names.join(', then ')}`
export const reachNone = 'No way out is left. Guests see why, sessions and payments inside the mesh go on.'
export const gatewaysLost = (names: readonly string[], since: string | null): string => `${names.join(' and ')} had one and ${names.length === 1 ? 'is' : 'are'} gone${since === null ? '' : ` for ${since}`}.`
export const partition = (count: number): string => `${plural(count, 'box', 'boxes')} left the mesh in the last day.`
export const alarmSince = (seconds: number): string => `for ${showDuration(seconds)}`

// map
export const map = 'Map'
export const mapLabel = (nodes: number, gone: number, reach: string): string => `Map of the mesh: ${plural(nodes, 'box', 'boxes')} in reach${gone === 0 ? '' : `, ${gone} gone`}, ${reach}. The list below says the same.`
export const thisBox = 'This box'
export const unnamed = 'Unknown box'
export const legendGood = 'good link'
export const legendPoor = 'poor link'
export const legendGone = 'gone'
export const legendOut = 'way to the Internet'
export const legendGateway = 'shares its Internet'
export const legendPays = 'pays'
export const legendOwes = 'owes too much'
export const internet = 'Internet'

// list
export const boxes = 'Boxes'
export const columns = { number: 'No.', box: 'Box', link: 'Link', price: 'Asks for a MiB' } as const
export const linkDirect = (quality: string): string => `${quality}, direct`
export const linkVia = (quality: string, via: string): string => `${quality}, through ${via}`
export const percent = (share: number): string => `${Math.round(share * 100)} %`
export const speed = (kbit: number): string => (kbit >= 1000 ? `${(kbit / 1000).toLocaleString('en', { maximumFractionDigits: kbit < 10_000 ? 1 : 0 })} Mbit/s` : `${kbit} kbit/s`)
export const linkUnknown = 'link not known'
export const overInternet = 'over the Internet'
export const goneFor = (since: string): string => `gone for ${since}`
export const gone = 'gone'
export const hereFor = (since: string): string => `here for ${since}`
export const gatewayOf = (down: string): string => `shares its Internet, ${down}`
export const gateway = 'shares its Internet'
export const silent = 'does not talk with this box'
export const banned = 'banned'
export const noPrice = '–'

export const standings = { admitted: 'Member', provisional: 'Member for now', stranger: 'Stranger', expelled: 'Expelled' } as const
export const standingHints = {
  admitted: 'The community has signed for it.',
  provisional: 'It showed a code. The community’s own box has not seen it yet.',
  stranger: 'It belongs to nobody here: no money and no guests go to it.',
  expelled: 'The community has shown it out: nobody speaks with it.',
} as const

/** Of this box itself. */
export const ownStandingHints = {
  admitted: 'The community has signed for this box.',
  provisional: 'This box showed its code. The community’s own box has not seen it yet: it is believed for 72 hours.',
  stranger: 'This box has no code of the community: nobody carries for it. Leave, then join with a code.',
  expelled: 'The community has shown this box out: nobody carries for it.',
} as const

// payments
export const payments = 'Who pays whom'
export const paymentsNone = 'Nobody carries for anybody yet.'
export const carriesUs = (name: string): string => `${name} carries for this box`
export const weCarry = (name: string): string => `This box carries for ${name}`
export const carriageStates = { offered: 'Offered', running: 'Running', 'in-debt': 'Stopped: too much is owed', ended: 'Ended', silent: 'No answer' } as const
export const carried = (bytes: string): string => `${bytes} carried`
export const paidOf = (paid: string, owed: string): string => `${paid} paid of ${owed}`
export const toPay = (left: string): string => `${left} open`
export const end = 'Stop carrying'
export const endTitle = (name: string): string => `Stop carrying with ${name}?`
export const endText = 'Nothing more is carried between the two boxes for ten minutes, or until you let it begin again. What is owed stays owed, and is paid.'
export const endReason = 'Why (told to the other box)'
export const endDone = 'Stopped.'
export const readmit = 'Let it begin again'
export const readmitDone = 'It may begin again now.'
export const writeOff = 'Write off'
export const writeOffTitle = (name: string): string => `Write off what ${name} owes?`
export const writeOffText = (left: string): string => `${left} for carrying that ended, or for its guests here, are asked for no more, for good. If the other box pays all the same, that is taken.`
export const writeOffDone = 'Written off.'

// guests who walk
export const walking = 'Guests who walk'
export const walkingNone = 'Nobody’s time is in use at another box, and nobody else’s here.'
export const awayAt = (name: string): string => `Guest of this box, at ${name}`
export const visitorOf = (name: string): string => `Guest of ${name}, here`
export const onItsWay = 'on the way'
export const thereFor = (since: string): string => `there for ${since}`
export const timeLeft = (left: string): string => `${left} left`
export const usedHere = (time: string, bytes: string): string => `${time}, ${bytes} used here`
export const perMinute = (price: string): string => `${price} for a minute`
export const contested = 'In use in two places: only its code or key moves it now.'
export const owesForGuests = (name: string): string => `This box pays ${name} for guests`
export const owedForGuests = (name: string): string => `${name} pays for guests`
export const prices = 'Prices'
export const ownPrice = 'This box asks'
export const ownPriceNone = 'nothing: it has no way out to offer'
export const ownShare = (share: string): string => `${share} of it stays here`
export const perMib = (price: string): string => `${price} for a MiB`
export const spent = 'Spent on being carried'
export const spentOf = (spent: string, cap: string): string => `${spent} of ${cap}`
export const spendsNothing = 'nothing: it may not buy (mesh.spend_per_day)'
export const dayLeft = (seconds: number): string => `in a day that lasts ${showDuration(seconds)} more`
export const unpaid = 'Carrying is not paid for in this mesh.'
export const refusedBecause = (reason: string): string => `not taken: ${reason}`
export const asks = (name: string): string => `${name} asks`

// ways out
export const uplinks = 'Ways out'
export const uplinksNone = 'This box has no way out of its own.'
export const uplinkKinds = { ethernet: 'Cable', lte: 'Mobile network', satellite: 'Satellite', wifi: 'Wi-Fi', neighbour: 'A neighbour' } as const
export const uplinkHealth = { good: 'good', poor: 'poor', down: 'down', unknown: 'not known yet' } as const
export const uplinkChosen = 'in use'
export const boughtState = (isSpent: boolean, forSeconds: number | null): string => (isSpent ? 'bought; the money for today is spent' : forSeconds === null ? 'bought; nothing is paid now' : `bought, paid for ${showDuration(forSeconds)}`)
export const uplinkFacts = (ms: number | null, loss: number): string => [ms === null ? null : `${Math.round(ms)} ms`, loss > 0 ? `${Math.round(loss * 100)} % lost` : null].filter((part) => part !== null).join(', ')

// one box
export const facts = { box: 'Account', originator: 'In the mesh', link: 'Link', since: 'Since', standing: 'Community', talks: 'Talks with this box', price: 'Asks for a MiB', address: 'At' } as const
export const talksYes = (ms: number | null): string => (ms === null ? 'yes' : `yes, ${ms.toLocaleString('en', { maximumFractionDigits: 1 })} ms`)
export const talksNo = 'no'
export const ban = 'Ban'
export const unban = 'Take the ban back'
export const expel = 'Expel'
export const pardon = 'Let it in again'
export const banTitle = (name: string): string => `Ban ${name}?`
export const banText = 'This box alone speaks with it no more, until you take it back. What one of them owes the other stays in the books. Other boxes go on as before.'
export const banReason = 'Why (for you, later)'
export const expelTitle = (name: string): string => `Expel ${name}?`
export const expelText = 'It is no member any more: no box of the community carries for it, pays it or speaks with it. The word of it goes from box to box. It still knows the password of the mesh.'
export const banDone = 'Banned.'
export const unbanDone = 'The ban is taken back.'
export const expelDone = 'Expelled.'
export const pardonDone = 'It may come again.'
export const bannedFor = (seconds: number | null, reason: string): string => `This box does not speak with it${seconds === null ? '' : `, for ${showDuration(seconds)} more`}${reason === '' ? '.' : `: ${reason}.`}`
export const noNode = 'It is not known any more.'

// community
export const community = 'Community'
export const communityOurs = 'This box signs for the community: it invites and expels.'
export const members = (count: number): string => plural(count, 'member known here', 'members known here')
export const shutOut = 'Expelled or banned:'
export const invite = 'Invite a box'
export const inviteTitle = 'Invite a box'
export const inviteUses = 'For how many boxes'
export const inviteUsesWrong = 'A number from 1 to 32.'
export const inviteDays = 'Taken back after days (empty: when it is used up)'
export const inviteDaysWrong = 'A number from 1 to 366, or nothing.'
export const inviteText = 'Whoever has the code can join and knows the password of the mesh. Show it only to whom you want in.'
export const inviteButton = 'Make the code'
export const inviteMade = (number: number): string => `Code ${number}`
export const inviteHow = 'On the other box: open Mesh, press Join, and paste the text that this picture holds. Or type meshbox join and the code there.'
export const inviteQr = 'The code as a picture'
export const inviteCode = 'The code as text'
export const copy = 'Copy'
export const copied = 'Copied.'
export const copyFailed = 'This browser does not copy here. Mark the text and copy it yourself.'
export const invitations = 'Open codes'
export const invitation = (number: number, used: number, uses: number): string => `Code ${number}: ${used} of ${uses} used`
export const invitationLeft = (seconds: number | null): string => (seconds === null ? 'until it is used up' : `${showDuration(seconds)} left`)
export const takeBack = 'Take back'
export const takenBack = 'It is worth nothing any more.'
export const leaveOrUndo = 'Leave the community'

// joining
export const offTitle = 'This box is in no mesh'
export const offText = 'In a mesh boxes carry for each other, so that one line to the Internet serves them all, and guests walk from one to the next with one paid session.'
export const waitTitle = 'Joined: restart the box'
export const waitText = (name: string): string => `The files say that this box belongs to ${name}. It takes part as soon as it is started again.`
export const restartFirst = 'What is in the files now is in force after a restart of the box.'
export const filesElsewhere = 'This service does not keep the router’s files. Join with meshbox join on the router.'
export const join = 'Join a community'
export const begin = 'Begin a community'
export const undo = 'Undo joining'
export const leave = 'Leave'
export const joinTitle = 'Join a community'
export const joinCode = 'Code'
export const joinCodeHint = 'Somebody of the community makes it: Mesh, then Invite a box. A phone’s camera turns the picture into this text.'
export const joinCodeMissing = 'Paste the code here.'
export const joinLook = 'Look what would change'
export const beginTitle = 'Begin a community'
export const beginName = 'Name'
export const beginNameWrong = 'A name of at most 32 letters.'
export const beginChannel = 'Channel of the mesh'
export const beginChannelHint = '36 to 165 where a radio is for 5 GHz, 1 to 13 for 2.4 GHz. All boxes use the same.'
export const beginChannelWrong = 'A number from 1 to 233.'
export const beginText = 'This box’s own key becomes the community’s. Its recovery words bring it back; without them nobody can invite or expel any more.'
export const leaveTitle = 'Leave the community?'
export const leaveText = 'Everything that joining wrote is taken out of the router’s files. Money and books stay.'
export const undoTitle = 'Undo joining?'
export const undoText = 'The router’s files become what they were before, byte for byte.'
export const changesTitle = 'What would change'
export const changesNone = 'Nothing: the files say all of it already.'
export const changeGone = 'taken out'
export const changeFrom = (from: string): string => `instead of ${from}`
export const inForceAfter = 'Nothing is in force before you restart the box.'
export const apply = { join: 'Join', begin: 'Begin', leave: 'Leave', undo: 'Undo' } as const
export const applied = 'Written. Restart the box now.'
export const joinMesh = (id: string, channel: number, hasPassword: boolean): string => `Mesh ${id}, channel ${channel}, ${hasPassword ? 'with a password' : 'without a password'}`
