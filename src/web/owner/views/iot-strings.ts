/** Words of the sensors page. Plain English for whoever plugged in the antenna, not for a network engineer. */
import { showDuration } from '../format.ts'

const plural = (count: number, one: string, many: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : many}`

export const title = 'Sensors'
export const lead = 'What your sensors say, who pays for the frames of others, and what the box does by itself.'
export const addDevice = 'Add a sensor'
export const addRule = 'Add a rule'

export const offTitle = 'Sensors are switched off'
export const offText = 'To hear sensors the box needs the role `iot` and a LoRa concentrator. Put the role into the configuration, list `roles` of section main, and start the box again.'

export const stateTitle = { receiving: 'Listening', silent: 'The gateway is silent', none: 'No gateway yet', shut: 'No door is open' } as const
export const stateText = (kind: keyof typeof stateTitle, doors: { readonly gwmp: string | null; readonly station: string | null }): string => {
  if (kind === 'receiving') return 'Frames that reach the antenna reach the box.'
  if (kind === 'silent') return 'Its last word is older than 90 seconds: nothing is heard and nothing can be sent. Look at its power, its antenna and its network.'
  if (kind === 'shut') return 'Set gwmp_port or station_port in section iot of the configuration: through one of them a concentrator talks to the box.'
  const ways = [doors.gwmp === null ? null : `packet forwarders to ${doors.gwmp} (UDP)`, doors.station === null ? null : `Basics Station to ${doors.station}`].filter((way) => way !== null)
  return `Point the concentrator at the box: ${ways.join(', ')}.`
}
export const stateLevel = { receiving: 'ok', silent: 'bad', none: 'warn', shut: 'warn' } as const
export const region = (name: string): string => `Plan ${name}`
export const uplinks = (count: number): string => `${plural(count, 'frame', 'frames')} heard since the start`
export const refused = (count: number): string => `${plural(count, 'packet was', 'packets were')} unreadable`

export const gateways = 'Gateways'
export const online = 'on line'
export const silent = 'silent'
export const seen = (when: string): string => `heard ${when}`
export const gatewayStats = (ok: number, received: number): string => `${ok.toLocaleString('en')} of ${received.toLocaleString('en')} frames clean in its last report`
export const gatewayAck = (percent: number): string => `${percent} % of its messages answered`
export const gatewayTemperature = (celsius: number): string => `${celsius} °C`
export const airtime = (window: string): string => `Time on air by band (MHz), each ${window}`
export const airtimeLeft = (left: string, whole: string): string => `${left} left of ${whole}`
export const airtimeLegend = { used: 'used', kept: 'kept for joins and answers', out: 'used up' }
export const airtimeFree = 'no limit by time'
export const airtimeUsed = (used: string, reserved: string): string => `${used} used, ${reserved} kept for joins and answers`

export const now = 'just now'
export const ago = (length: string): string => `${length} ago`
export const before = 'before the last start'
export const never = 'never'

export const devices = 'Your sensors'
export const devicesNone = 'No sensor yet'
export const devicesNoneText = 'Add one with the key that came with it. It joins by itself as soon as it is switched on in reach.'
export const deviceState = { online: 'on line', silent: 'silent', 'not-joined': 'has not joined', disabled: 'switched off' } as const
export const joinRefused = (why: string): string => `Its last try to join was refused: ${why}.`
export const noReading = 'No reading yet'
export const battery = (percent: number): string => `battery ${percent} %`
export const mains = 'on mains'
export const waiting = (count: number): string => `${plural(count, 'order waits', 'orders wait')} for it`

export const send = 'Send to it'
export const sendTitle = 'Send to the sensor'
export const sendData = 'What its codec shall encode, as JSON'
export const sendBytes = 'Bytes, in hex'
export const sendPort = 'Port'
export const sendWhat = 'As'
export const sendAs = { data: 'Values', bytes: 'Bytes' } as const
export const sendConfirmed = 'Ask for an acknowledgement'
export const sendHint = 'A battery sensor listens only after it has spoken: the order waits until then.'
export const sendDone = 'It waits for the sensor.'
export const sendWrongJson = 'This is not JSON. An example: {"open":true}'
export const sendWrongHex = 'Type pairs of hex digits, as 01ff.'
export const sendWrongPort = 'A whole number from 1 to 223.'
export const letJoin = 'Let it join anew'
export const letJoinDone = 'It may join again.'
export const removed = 'Removed.'
export const csv = 'Readings as a table (CSV)'
export const facts = { devEui: 'DevEUI', joinEui: 'JoinEUI', address: 'Address', version: 'LoRaWAN', codec: 'Codec', counters: 'Frames up, down', counters11: 'Frames up, down, down to its application', rate: 'Data rate', margin: 'Margin at its side', seen: 'Heard' } as const
export const activation = { otaa: 'joins by itself', abp: 'fixed session' } as const
export const noCodec = 'none: bytes only'

export const plotOf = (name: string, unit: string | null): string => (unit === null ? name : `${name}, ${unit}`)
export const plotValue = 'Value'
export const plotSpan = 'How far back'
export const spans = { day: '24 hours', week: '7 days', month: '30 days' } as const
export const plotNone = 'Nothing to draw in this time.'
export const plotSays = (name: string, least: string, most: string, last: string): string => `${name}: from ${least} to ${most}, last ${last}`
export const signal = 'Signal'
export const signalUnit = 'dB over noise'
export const history = 'Last readings'
export const frame = (count: number): string => `frame ${count.toLocaleString('en')}`
export const heardBy = (count: number): string => (count > 1 ? `heard by ${count} gateways` : '')
export const queue = 'Orders'
export const queueStates = { queued: 'waits', sent: 'sent', acknowledged: 'acknowledged', failed: 'not sent', expired: 'too old, dropped' } as const
export const callBack = 'Take back'

/** The field's words for why nothing went on the air. */
export const statuses: Readonly<Record<string, string>> = {
  OK: 'sent',
  IGNORED: 'not needed',
  TOO_LATE: 'too late for its moment',
  TOO_EARLY: 'too early for its moment',
  COLLISION_PACKET: 'another frame had the moment',
  COLLISION_BEACON: 'a beacon had the moment',
  TX_FREQ: 'the gateway refused the frequency',
  TX_POWER: 'the gateway refused the power',
  GPS_UNLOCKED: 'the gateway has no GPS time',
  QUEUE_FULL: 'the gateway had no place',
  INTERNAL_ERROR: 'the gateway failed',
  DUTY_CYCLE_OVERFLOW: 'no time on air left',
  GATEWAY_AWAY: 'no gateway to send with',
}

export const newDevice = 'Add a sensor'
export const editDevice = 'Change the sensor'
export const deviceName = 'Name'
export const deviceNameHint = 'As you call the place: field-3, cold-room.'
export const devEuiHint = '16 hex digits, printed on the sensor.'
export const euiWrong = 'Type 16 hex digits.'
export const keyWrong = 'Type 32 hex digits.'
export const nameWrong = 'Give it a name.'
export const joinEuiHint = 'Also called AppEUI. Empty: all zeros.'
export const appKey = 'AppKey'
export const appKeyHint = '32 hex digits that came with the sensor.'
export const nwkKey = 'NwkKey'
export const nwkKeyHint = '32 hex digits: LoRaWAN 1.1 has two keys.'
export const appKeyKept = 'Empty: the key it has stays. Keys are never shown.'
export const codec = 'Codec'
export const macVersion = 'LoRaWAN version'
export const deviceClass = 'Listens'
export const classes = { A: 'after it has spoken (class A)', C: 'always (class C, on mains)' } as const
export const saved = 'Saved.'
export const deviceDisabled = 'Do not listen to it'
export const abpHint = 'Sensors with a fixed session (ABP) are added with the command line: meshbox lora device set.'

export const frames = 'Live'
export const framesNone = 'No frame since the start.'
export const verdicts = { reading: 'reading', join: 'joined', mac: 'housekeeping', repeated: 'a repetition', refused: 'refused', unknown: 'of nobody here' } as const
export const tenantVerdicts: Readonly<Record<string, string>> = {
  sold: 'sold',
  free: 'its counter did not rise: free',
  duplicate: 'had it already',
  repeated: 'a repetition',
  'bad-mic': 'forged: not sold',
  'no-credit': 'out of credit: not sold',
  paused: 'paused: not sold',
  'not-ours': 'sold by another box',
  late: 'kept for later',
  'over-limit': 'too many at once',
  undelivered: 'not delivered: not billed',
  'not-stored': 'disk refused: not delivered',
}

export const downlinks = 'Sent, and why not'
export const downlinksNone = 'Nothing was sent yet.'
export const onAir = (ms: number): string => `${ms.toLocaleString('en')} ms on air`

export const tenants = 'Who pays'
export const tenantsNone = 'Nobody pays for frames yet'
export const tenantsNoneText = 'A tenant gets the frames of his own sensors and pays for each. Make one on the command line: meshbox tenant set.'
export const tenantState = { served: 'served', 'no-credit': 'out of credit', paused: 'paused', away: 'his server is away', ended: 'ended' } as const
export const earnedFrom = (units: string, uplinksCount: string): string => `${units} units in ${uplinksCount} frames`
export const owes = (owed: string, window: string): string => `owes ${owed} of ${window}`
export const prepaid = (owed: string): string => `prepaid, owes ${owed}`
export const credit = (sum: string): string => `has paid ${sum} ahead`
export const paidSoFar = (sum: string): string => `${sum} paid`
export const lateFrames = (count: number): string => `${plural(count, 'frame waits', 'frames wait')} for his server`
export const pause = 'Pause'
export const resume = 'Serve again'
export const paused = 'Paused: nothing of his is delivered or billed.'
export const resumed = 'Served again.'
export const bill = 'Bill and receipts'
export const billHint = 'With the bill he, or anybody, can check every unit: meshbox lora receipt verify.'
export const tenantFacts = { payer: 'Pays from', routes: 'His sensors', destination: 'Gets them at', price: 'For 24 bytes', join: 'For a join', late: 'For a late frame', window: 'May owe', copies: 'Copies bought', receipt: 'Last receipt', keys: 'Forged frames' } as const
export const keysYes = 'told apart before they are sold'
export const keysNo = 'not told apart: he gave no keys'
export const receipt = (seq: string, sum: string): string => `no. ${seq}, ${sum}`
export const certificates = {
  title: 'Certificates',
  change: 'Change certificates',
  none: 'Any public authority may vouch for his server, and the box shows none.',
  lead: 'As PEM text or file. What is left empty stays as it is.',
  ca: 'Vouches for his server',
  caOfAll: 'any public authority',
  caHint: 'Where his server has an authority of its own.',
  client: 'Shown to his server',
  clientHint: 'Where his server asks for one: the box’s own first.',
  key: 'Its private key',
  keyHint: 'Without a passphrase. Kept sealed, never shown.',
  keyHere: 'lies here, sealed',
  keyLost: 'sealed by another box: give it again',
  inTheClear: ' This page came without TLS: on the box, meshbox tenant set is safer.',
  dropCa: 'Believe any public authority',
  dropClient: 'Show none, forget the key',
  until: { expired: 'ended', expiring: 'ends soon,', fine: 'until' },
  expiry: { expired: 'A certificate has ended: nothing gets there until there is a new one.', expiring: 'A certificate ends within 14 days.' },
  file: (label: string): string => `${label}: file`,
  nothing: 'Nothing to change.',
} as const
export const outcomes = 'What became of his frames since the start'
export const perMs = (band: string): string => (band === '*' ? 'A millisecond of answers' : `A millisecond in ${band}`)

export const rules = 'Rules'
export const rulesNone = 'No rules. One is a sentence, as: if soil of field-3 < 20 set pump-1 {"open":true} for 10 min then {"open":false}'
export const ruleState = { live: 'live', dry: 'only says what it would do', paused: 'paused' } as const
export const lastRun = (when: string, because: string): string => `${when}: ${because}`
export const isOnUntil = 'on'
export const newRule = 'Add a rule'
export const ruleName = 'Name'
export const ruleText = 'If what, then what'
export const ruleHint = 'if soil of field-3 < 20 for 10 min set pump-1 {"open":true} for 10 min then {"open":false} wait 1 h'
export const ruleTry = 'Try it with past readings'
export const ruleTried = (readings: number, runs: number): string => (runs === 0 ? `With ${plural(readings, 'kept reading', 'kept readings')} it would never have acted.` : `With ${plural(readings, 'kept reading', 'kept readings')} it would have acted ${runs === 1 ? 'once' : `${runs} times`}:`)
export const ruleDryHint = 'A new rule only says what it would do. When that is right, let it act.'
export const goLive = 'Let it act'
export const goDry = 'Only say'
export const rulePause = 'Pause'
export const ruleResume = 'Go on'
export const runsTitle = 'What it did'
export const dryRun = 'would have acted'
export const textWrong = 'Write the rule.'

export const broker = 'Broker'
export const brokerKinds = { own: 'The box’s own mosquitto', url: 'Another broker', off: 'Switched off' } as const
export const brokerWorks = 'Readings go out by MQTT.'
export const brokerOff = 'Readings stay on the box: on this page, in its log, for its rules.'
export const brokerWaits = 'Not connected yet.'
export const brokerProblem = (problem: string): string => `MQTT does not work: ${problem}.`
export const brokerAdvice = (problem: string): string => (problem.includes('not installed') ? 'Install the package mosquitto on the box. ' : '')
export const brokerKept = 'Readings, rules and bills go on without it; what it missed follows.'
export const unpublished = (count: number): string => `${plural(count, 'reading waits', 'readings wait')} for it`
export const late = 'Kept for tenants who are away'
export const lateText = (count: number, size: string): string => `${plural(count, 'frame', 'frames')}, ${size}`
export const lateLost = (count: string): string => `${count} too old, let go and not billed`

export const windowOf = (seconds: number): string => (seconds === 3600 ? 'hour' : showDuration(seconds))
