/**
 * Every word the dashboard shows, in one place, so that languages can follow. Plain English for a shop
 * keeper: short, no jargon, says what to do. Functions take what is put into the sentence.
 */
const plural = (count: number, one: string, many: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : many}`

export const product = 'MeshBox'
export const skip = 'Skip to the page'
export const title = (page: string, place: string): string => `${page} · ${place}`

// words
export const wordsShow = 'Show'
export const wordsHide = 'Hide'
export const wordsClose = 'Close'
export const wordsCancel = 'Cancel'
export const wordsBack = 'Back'
export const wordsNext = 'Next'
export const wordsDone = 'Done'
export const wordsSave = 'Save'
export const wordsRemove = 'Remove'
export const wordsRemoveSure = 'Remove for good?'
export const wordsEdit = 'Edit'
export const wordsLoading = 'Loading'
export const wordsTryAgain = 'Try again'
export const wordsMore = 'Show more'
export const wordsNone = 'none'
export const wordsUnknown = 'not known'
export const wordsAll = 'All'
export const wordsFree = 'Free'
export const wordsSignOut = 'Sign out'
export const wordsSignOutFailed = 'The box does not answer: you are still signed in.'

export const nav = {
  label: 'Main',
  home: 'Home',
  guests: 'Guests',
  vouchers: 'Vouchers',
  prices: 'Prices',
  more: 'More',
  chain: 'Chain',
  channels: 'Channels',
  payouts: 'Payouts',
  mesh: 'Mesh',
  iot: 'Sensors',
  health: 'Box health',
  settings: 'Settings',
}

// net
export const netNoAnswer = 'The box did not answer.'
export const netCutOff = 'The answer of the box broke off. Look at the list before you try again.'
export const netNoAnswerToChange = 'The box did not answer, so it is not sure whether this was carried out. Nothing you typed is lost. Look at the list before you try again.'
export const netStrangeAnswer = (status: number, why: string): string => `The box gave an answer nobody understands (${status}${why ? `: ${why}` : ''}).`
export const netNotAllowed = (allowed: string): string => `Not accepted. Allowed: ${allowed}.`
export const netRefused = (why: string): string => `Not accepted: ${why}.`
export const netSignInFirst = 'Your sign-in had ended. Type your password, then press the button again.'
export const netLost = 'No answer from the box. What you typed is safe.'
export const netRetryIn = (seconds: number): string => (seconds > 0 ? `Trying again in ${seconds} s` : 'Trying now…')
export const netRetryNow = 'Try now'
export const netBack = 'The box answers again.'

// time
export const timeSeconds = (count: number): string => `${count} s`
export const timeMinutes = (count: number): string => `${count} min`
export const timeHours = (count: number): string => `${count} h`
export const timeDays = (count: number): string => plural(count, 'day', 'days')
export const timeDaysHours = (days: number, hours: number): string => `${days} d ${hours} h`
export const timeUndated = 'no date'
export const timeUnsure = 'The box was not sure of the time then.'
export const packages = { worth: (sum: string): string => `${sum} for a payment channel`, unlimited: 'no limit' }

// chart
export const chartTitle = (days: number): string => `Last ${days} days`
export const chartLabel = (days: number): string => `Earned per day, last ${days} days`
export const chartValue = (day: string, amount: string): string => `${day}: ${amount}`
export const chartToday = 'today'
export const chartDay = 'Day'
export const chartPaid = 'Guests paid'
export const chartYours = 'Your part'
export const chartAsTable = 'Table'
export const chartAsPlot = 'Plot'
export const chartNone = 'Your first sale will show up here.'

// login
export const loginTitle = 'Welcome back'
export const loginLead = (place: string): string => `Sign in to look after ${place}.`
export const loginPassword = 'Owner password'
export const loginButton = 'Sign in'
export const loginWrong = 'That is not the password. Look at Caps Lock and try again.'
export const loginWait = (seconds: number): string => `Too many tries. You can try again in ${plural(seconds, 'second', 'seconds')}.`
export const loginWaitOver = 'You can try again now.'
export const loginForgot = 'Forgot it? On the box itself, run `meshbox password set`.'
export const loginLockedTitle = 'Please sign in again'
export const loginLockedLead = 'You were away for a while. Everything you typed is still here.'

// setup
export const setupTitle = 'Set up your box'
export const setupStep = (at: number, of: number): string => `Step ${at} of ${of}`
export const setupPlaceTitle = 'What is your place called?'
export const setupPlaceLead = 'Guests see this name when they connect, and on every voucher.'
export const setupName = 'Name of the place'
export const setupNameExample = 'e.g. Corner Café'
export const setupCode = 'Set-up code'
export const setupCodeHint = 'It proves the box is yours. Find it in the box’s log, or run `meshbox status` on the box.'
export const setupCodeExample = 'ABCD-EFGH'
export const setupPriceTitle = 'What does Wi-Fi cost?'
export const setupPriceLead = 'You can change it any time under Prices.'
export const setupPriceEquals = (symbol: string): string => `1 ${symbol} buys`
export const setupPriceUnit = 'minutes'
export const setupPricePresets = 'Common choices'
export const setupPreset = (minutes: number): string => `${minutes} min`
export const setupPriceNone = 'Only sell packages'
export const setupPriceNoneHint = 'Time is not sold by the single minute.'
export const setupPriceExample = (hour: string): string => `An hour costs a guest ${hour}.`
export const setupPackagesTitle = 'Which packages do you sell?'
export const setupPackagesLead = 'Each can be printed as vouchers. Add or change packages later under Prices.'
export const setupPackagesUnpriced = 'Ready packages are priced by the minute, so only those already in the box are left. Add your own under Prices.'
export const setupNetworkTitle = 'Where do guests connect?'
export const setupNetworkLead = 'The network your guests join. Your own devices stay on the other one.'
export const setupNetwork = 'Guest network'
export const setupNetworkNow = 'set in the box'
export const setupNetworkRule = 'The owner’s dashboard is never reachable from the guest network.'
export const setupPasswordTitle = 'Choose your owner password'
export const setupPasswordLead = 'With it you look at your earnings and change prices. Guests never need it.'
export const setupPassword = 'Password'
export const setupPasswordHint = (least: number): string => `At least ${least} characters. Four or five random words are strong and easy to remember.`
export const setupRepeat = 'Type it once more'
export const setupRepeatWrong = 'The two are not the same.'
export const setupTooShort = (least: number): string => `Too short: at least ${least} characters.`
export const setupStrengthLabel = 'Strength'
export const setupStrength = ['Too short', 'Weak: easy to guess', 'Fair: longer is better', 'Good', 'Strong'] as readonly string[]
export const setupFinish = 'Finish set-up'
export const setupNeedName = 'Please give your place a name.'
export const setupWrongCode = 'This is not the set-up code. Look at the box again: it changes with every start.'
export const setupNeedCode = 'Please type the set-up code.'
export const setupNeedMinutes = 'Please type how many minutes, more than 0.'
export const setupDoneTitle = (place: string): string => `${place} is open`
export const setupDoneLead = 'Your box now sells Wi-Fi. The last thing to do: put vouchers in the till.'
export const setupDonePrint = 'Print your first sheet of vouchers'
export const setupDoneHome = 'Go to the dashboard'
export const setupDoneMesh = 'Join a community of boxes'
export const setupDoneRestart = (options: string): string => `These take effect after the box restarts: ${options}.`
export const setupDoneWords = 'Later today, write down the recovery words under Box health. They are the only way to get the box’s earnings back if it breaks.'

// home
export const homeTitle = 'Today'
export const homeNoDate = 'The box is not sure of the date'
export const homeToday = 'Earned today'
export const homeUndated = 'Earned since the box was switched on'
export const homeMonth = 'This month'
export const homeTotal = 'All time'
export const homeYesterday = (amount: string): string => `Yesterday ${amount}`
export const homeYourPart = (amount: string): string => `${amount} yours`
export const homeUntrusted = 'The box is not sure of the date, so these sales are counted by themselves until it is.'
export const homeUndatedToo = (amount: string): string => `${amount} more was earned while the box was not sure of the date.`
export const homeOtherToken = (units: string, token: string): string => `Also earned in another token: ${units} smallest units of ${token}.`
export const homeSources = 'Where it came from this month'
export const homeSourcesAll = 'Where it came from'
export const homeGuests = 'Online now'
export const homeGuestsAll = 'All guests'
export const homeGuestsNone = 'Nobody is online'
export const homeGuestsNoneText = 'When a guest types a voucher code, you will see them here with the time they have left.'
export const homeCounter = 'At the counter'
export const homeNewVoucher = 'New voucher'
export const homePrintSheet = 'Print a sheet'
export const homeUnused = (count: number): string => `${plural(count, 'voucher', 'vouchers')} ready to sell`
export const homeUnusedNone = 'No vouchers left to sell'
export const homeAllWell = 'Your box is fine'
export const homeMoreGuests = (count: number): string => `and ${count} more`

/** What earns, as it stands in the book. */
export const source: Readonly<Record<string, string>> = {
  'hotspot:voucher': 'Vouchers',
  'hotspot:stream': 'Minutes paid by the second',
  'hotspot:ahead': 'Minutes bought ahead',
  'mesh:relay': 'Traffic of neighbours',
  'mesh:roaming': 'Guests of other boxes',
  'photon:fee': 'Payments of others',
  'photon:watch': 'Channels guarded for others',
  'photon:order': 'Errands for wallets',
  'iot:uplink': 'Sensor frames',
  'iot:join': 'Sensors that join',
  'iot:late': 'Sensor frames, sent on late',
  'iot:downlink': 'Frames to sensors',
  'chain:reward': 'Blocks sealed',
  'chain:gas': 'Gas of sealed blocks',
}

// guests
export const guestsTitle = 'Guests'
export const guestsLead = (active: number, paused: number): string => `${active} online${paused > 0 ? ` · ${paused} paused` : ''}`
export const guestsFilter = 'Which guests'
export const guestsNow = 'Now'
export const guestsHistory = 'History'
export const guestsFind = 'Find a guest'
export const guestsFindExample = 'Device, address or name'
export const guestsNone = 'Nobody is online'
export const guestsNoneText = 'Sell a voucher, and the guest shows up here the moment the code is typed.'
export const guestsNoneHistory = 'No guests yet'
export const guestsNoneHistoryText = 'Every visit stays here, with its time, traffic and what was paid.'
export const guestsNoneFound = 'Nothing found'
export const guestsNoneFoundText = 'Try a part of the device’s address, or look in the history.'
export const guestsColumns = { guest: 'Guest', left: 'Time left', traffic: 'Traffic', devices: 'Devices', paid: 'Paid' }
export const guestsOfDevices = (count: number, most: number): string => `${count} of ${most}`
export const guestsNoLimit = 'No time limit'
export const guestsBytesLeft = (bytes: string): string => `${bytes} left`
export const guestsDown = 'down'
export const guestsUp = 'up'
export const guestsOlder = 'For older visits, search for a device or a name.'

export const state = {
  quoted: 'Price asked',
  preflight: 'Opening',
  received: 'Opening',
  journaled: 'Opening',
  'gate-open': 'Opening',
  active: 'Online',
  paused: 'Paused',
  ended: 'Ended',
  credited: 'Kept for guest',
} as Readonly<Record<string, string>>
export const pausedBy = { guest: 'by the guest', owner: 'by you', idle: 'no traffic', restart: 'box restarted', away: 'used at another box' } as Readonly<Record<string, string>>

export const ended = {
  'time-used': 'Time used up',
  'bytes-used': 'Data used up',
  'ended-by-guest': 'Ended by the guest',
  'ended-by-owner': 'Ended by you',
  refunded: 'Refunded',
  revoked: 'Voucher revoked',
  replaced: 'Continued elsewhere',
} as Readonly<Record<string, string>>
export const bought = { voucher: 'Voucher', trial: 'Free trial', owner: 'Given by you', stream: 'By the second' } as Readonly<Record<string, string>>

// guest
export const guestLeft = 'left'
export const guestPausedClock = 'left, clock stopped'
export const guestFacts = { used: 'Time used', traffic: 'Traffic', devices: 'Devices', paid: 'Paid', refunded: 'Refunded', source: 'Bought as', started: 'Started', id: 'Number' }
export const guestPause = 'Pause'
export const guestResume = 'Resume'
export const guestExtend = 'Add time'
export const guestRefund = 'Refund'
export const guestEnd = 'End visit'
export const guestPaused = 'Paused. The clock is stopped.'
export const guestResumed = 'Online again.'
export const guestExtendTitle = 'Add free time'
export const guestExtendLead = 'A gift from the house: nothing is charged.'
export const guestExtendBy = 'How much'
export const guestExtendMinutes = (minutes: number): string => (minutes % 60 === 0 ? `+${minutes / 60} h` : `+${minutes} min`)
export const guestExtendOther = 'Other'
export const guestExtendCustom = 'Minutes to add'
export const guestExtendWrong = 'Type a whole number of minutes, 1 or more.'
export const guestExtendButton = (minutes: number): string => `Add ${minutes} min`
export const guestExtended = (minutes: number): string => `${minutes} minutes added.`
export const guestRefundTitle = 'Refund the unused part?'
export const guestRefundAbout = 'Give back to the guest, about'
export const guestRefundLead = (paid: string): string => `Of ${paid} paid. The box works out the unused part to the last unit when you confirm, and tells you the exact amount.`
export const guestRefundRule = 'The visit ends at once. Your earnings go down by this amount, and so do the shares.'
export const guestRefundButton = 'Refund and end'
export const guestRefunded = 'Give back to the guest'
export const guestRefundedLead = 'The visit has ended and the refund is in the book.'
export const guestEndTitle = 'End this visit?'
export const guestEndLead = (left: string): string => `The guest goes offline at once and loses what is left (${left}). Nothing is paid back. To give money back, choose Refund.`
export const guestEndButton = 'End visit'
export const guestEndDone = 'Visit ended.'
export const guestNothingLeft = 'nothing'

// vouchers
export const vouchersTitle = 'Vouchers'
export const vouchersLead = (unused: number): string => `${plural(unused, 'voucher', 'vouchers')} ready to sell`
export const vouchersMake = 'Make vouchers'
export const vouchersNone = 'No vouchers yet'
export const vouchersNoneText = 'Make a batch, print the sheet, cut it up and keep it in the till. One sheet of A4 holds 32.'
export const vouchersMade = (date: string): string => `made ${date}`
export const vouchersEach = (price: string): string => `${price} each`
export const vouchersSingle = (count: number): string => plural(count, 'single voucher', 'single vouchers')
export const vouchersSingleLead = 'Made one by one at the counter.'
export const vouchersCounts = (unused: number, used: number, revoked: number): string =>
  [`${unused} unused`, `${used} used`, revoked > 0 ? `${revoked} revoked` : ''].filter(Boolean).join(' · ')
export const vouchersPrint = 'Print sheet'
export const vouchersCsv = 'Export CSV'
export const vouchersNewTab = '(opens in a new tab)'
export const vouchersAllBatches = 'All vouchers'
export const vouchersSold = (amount: string): string => `${amount} earned when all are used`
export const vouchersFilter = 'Which vouchers'
export const vouchersStates = { unused: 'Unused', used: 'Used', revoked: 'Revoked' } as Readonly<Record<string, string>>
export const vouchersValidUntil = (date: string): string => `use by ${date}`
export const vouchersGuest = 'See guest'
export const vouchersRevoke = 'Revoke'
export const vouchersRevokeBatch = 'Revoke batch'
export const vouchersRevokeTitle = (code: string): string => `Revoke ${code}?`
export const vouchersRevokeLead = 'The code stops working for good. A guest who is online with it goes offline at once. Nothing is paid back.'
export const vouchersRevokeBatchTitle = 'Revoke the whole batch?'
export const vouchersRevokeBatchLead = (unused: number, used: number): string =>
  `${plural(unused, 'unused code stops', 'unused codes stop')} working for good.${used > 0 ? ` Guests who are online with one of the ${used} used go offline at once.` : ''} Do this when a sheet was lost or copied.`
export const vouchersRevokeButton = 'Revoke'
export const vouchersRevoked = (count: number): string => `${plural(count, 'voucher', 'vouchers')} revoked.`
export const vouchersNoneOfState = 'None in this batch.'

// make
export const makeTitle = 'Make vouchers'
export const makePackage = 'Package'
export const makeNoPackages = 'There is no package to sell yet. Make one under Prices first.'
export const makeToPrices = 'Go to Prices'
export const makeCount = 'How many'
export const makeSheets = (count: number): string => (count === 1 ? '1 sheet' : `${count} sheets`)
export const makePerSheet = 'One A4 sheet holds 32.'
export const makeValidUntil = 'Use by (optional)'
export const makeValidHint = 'Last day a guest can start using it. Leave empty for no end.'
export const makeValidUntrusted = 'The box is not sure of the date now; it checks this day only when it is.'
export const makeNote = 'Own words (optional)'
export const makeNoteHint = 'Instead of the package’s name, up to 48 characters.'
export const makeTotal = (amount: string): string => `Worth ${amount} when all are sold`
export const makeButton = (count: number): string => `Make ${plural(count, 'voucher', 'vouchers')}`
export const makeCountWrong = 'Type a whole number from 1 to 1000.'
export const makeDoneTitle = (count: number): string => `${plural(count, 'voucher', 'vouchers')} ready`
export const makeDoneLead = 'Print the sheet on A4, cut along the lines, and keep it in the till: each voucher is worth money.'
export const makeAnother = 'Make more'
export const makeCounterTitle = 'New voucher'
export const makeCounterLead = 'What does the guest want?'
export const makeCounterButton = 'Make voucher'
export const makeCollect = 'Collect'
export const makeCodeLabel = 'Voucher code'
export const makeQrLabel = 'QR code of the voucher, to be scanned by the guest'
export const makeQrHint = 'The guest joins the Wi-Fi, then types the code or scans this.'
export const makeCounterAnother = 'Another one'

// prices
export const pricesTitle = 'Prices'
export const pricesLead = 'What guests pay, and what they get for it.'
export const pricesPreview = 'What the guest sees'
export const pricesPreviewLead = 'With your changes, before you save them.'
export const pricesPreviewTime = (price: string): string => `${price} a minute`
export const pricesPreviewData = (price: string): string => `${price} per MiB`
export const pricesPreviewTrial = (what: string): string => `Try it free: ${what}`
export const pricesPreviewNone = 'Nothing to buy: guests need a voucher.'
export const pricesPreviewDevices = (count: number): string => plural(count, 'device', 'devices')
export const pricesSingle = 'Single minutes and data'
export const pricesPerMinute = 'Price of a minute'
export const pricesPerMinuteHint = '0 means: time is not sold singly.'
export const pricesBuys = (symbol: string, minutes: string): string => `1 ${symbol} buys ${minutes} minutes.`
export const pricesPerMib = 'Price of a MiB'
export const pricesPerMibHint = '0 means: data is not charged.'
export const pricesPackages = 'Packages'
export const pricesPackagesLead = 'In this order on the guest’s page and when you make vouchers.'
export const pricesPackagesNone = 'No packages yet. Add “30 minutes” or “1 day” to sell them as vouchers.'
export const pricesAddPackage = 'Add package'
export const pricesOnlyPrinted = 'vouchers only'
export const pricesEditPackage = (label: string): string => `Edit ${label}`
export const pricesNewPackage = 'New package'
export const pricesLabel = 'Name'
export const pricesLabelExample = 'e.g. 1 day'
export const pricesTime = 'Time'
export const pricesTimeUnits = { minutes: 'minutes', hours: 'hours', days: 'days' }
export const pricesTimeUnit = 'Counted in'
export const pricesTimeHint = 'Leave empty for no time limit.'
export const pricesData = 'Data'
export const pricesDataHint = 'Leave empty for no limit.'
export const pricesPrice = 'Price'
export const pricesDevices = 'Devices at once'
export const pricesDownKbps = 'Speed down'
export const pricesUpKbps = 'Speed up'
export const pricesSpeedHint = 'Empty: as fast as it goes.'
export const pricesWorth = 'Worth in tokens, for a payment channel'
export const pricesWorthHint = 'Its voucher puts them into the guest’s own channel, to pay by the second. Then leave time and data empty.'
export const pricesWorthAlone = 'Tokens stand alone: leave time and data empty.'
export const pricesCap = 'Most a page without TLS spends by the second'
export const pricesCapHint = '0 means: the price of an hour.'
export const pricesOffered = 'Offer on the guest’s page'
export const pricesOfferedHint = 'Off: you only sell it as printed vouchers.'
export const pricesContentsWrong = 'A package needs time, data or both.'
export const pricesNumberWrong = 'Type a whole number, or leave it empty.'
export const pricesPriceWrong = (decimals: number): string => `Type a price like 2.50: with a point, and at most ${decimals} digits after it.`
export const pricesLabelWrong = 'Please give it a name.'
export const pricesMoveUp = 'Move up'
export const pricesMoveDown = 'Move down'
export const pricesFull = 'There can be 16 packages, because each printed code carries its number.'
export const pricesHappy = 'Happy hours'
export const pricesHappyLead = 'Cheaper at quiet times. The first that fits applies.'
export const pricesHappyNone = 'No happy hours. Add one to fill quiet mornings.'
export const pricesHappyNow = (label: string, percent: number): string => `Now: ${label}, ${percent} % off`
export const pricesAddHappy = 'Add happy hour'
export const pricesNewHappy = 'New happy hour'
export const pricesHappyName = 'e.g. Quiet mornings'
export const pricesDiscount = 'Discount'
export const pricesDiscountWrong = 'A whole number from 1 to 100.'
export const pricesBasis = 'When'
export const pricesBasisClock = 'By the time of day'
export const pricesBasisClockHint = 'Only while the box is sure of the time.'
export const pricesBasisUptime = 'After switching on'
export const pricesBasisUptimeHint = 'Works without a clock: minutes since the box was switched on.'
export const pricesFrom = 'From'
export const pricesTo = 'Until'
export const pricesFromMinute = 'From minute'
export const pricesToMinute = 'Until minute'
export const pricesDays = 'Days'
export const pricesEveryDay = 'every day'
export const pricesDayNames = { mon: 'Mon', tue: 'Tue', wed: 'Wed', thu: 'Thu', fri: 'Fri', sat: 'Sat', sun: 'Sun' }
export const pricesTimeWrong = 'Please give both times.'
export const pricesDaysWrong = 'Choose at least one day.'
export const pricesTrial = 'Free trial'
export const pricesTrialLead = 'Once a day for each device, so that guests see that it works.'
export const pricesTrialOn = 'Offer a free trial'
export const pricesTrialMinutes = 'Free minutes'
export const pricesTrialMib = 'Free data (optional)'
export const pricesSpeed = 'Speed'
export const pricesSpeedLead = 'Of free trials and single minutes. Every package has its own.'
export const pricesUnsaved = 'Changes not saved yet'
export const pricesDiscard = 'Discard'
export const pricesSaved = 'Prices saved. New visits pay them from now on.'
export const pricesRestart = (options: string): string => `Saved. These take effect after the box restarts: ${options}.`

// health
export const healthTitle = 'Box health'
export const healthLead = (version: string, uptime: string): string => `Version ${version} · running for ${uptime}`
export const healthParts = {
  gate: 'Gate',
  store: 'Book',
  dnsmasq: 'Addresses',
  clock: 'Clock',
  disk: 'Disk',
  memory: 'Memory',
  'portal-tls': 'Guest page',
  setup: 'Set-up',
  backup: 'Recovery words',
  channels: 'Channels',
  mesh: 'Mesh',
  iot: 'Sensors',
  payout: 'Payouts',
    } as Readonly<Record<string, string>>
export const healthLevels = { ok: 'Fine', warn: 'Look at this', bad: 'Needs you' } as Readonly<Record<string, string>>
export const healthSummary = { ok: 'Everything is fine', warn: 'Something to look at', bad: 'Something needs you' } as Readonly<Record<string, string>>
export const healthFacts = 'Figures'
export const healthClock = 'Clock of the box'
export const healthClockTrusted = (count: number): string => `trusted, ${plural(count, 'source agrees', 'sources agree')}`
export const healthClockUntrusted = 'not trusted yet'
export const healthClockApart = (minutes: number): string => `${plural(minutes, 'minute', 'minutes')} apart from this device`
export const healthGate = 'Gate'
export const healthGateStates = { ready: 'ready', recording: 'record only: nobody is cut off', degraded: 'not complete', down: 'down' } as Readonly<Record<string, string>>
export const healthRepairs = (count: number): string => (count === 0 ? 'never had to be repaired' : `repaired ${plural(count, 'time', 'times')}`)
export const healthOption114 = 'Sign-in page (option 114)'
export const healthOption114States = { announced: 'announced', withheld: 'withheld' } as Readonly<Record<string, string>>
export const healthMemory = 'Memory'
export const healthMemoryOf = (free: string, total: string): string => `${free} free of ${total}`
export const healthDisk = 'Disk'
export const healthBook = 'Book on disk'
export const healthLoad = 'Load'
export const healthLoadOf = (load: string, cpus: number): string => `${load} on ${plural(cpus, 'core', 'cores')}`
export const healthSystem = 'System'
export const healthAlarms = 'Alarms'
export const healthAlarmKinds = { repaired: 'Gate repaired', degraded: 'Gate not complete', 'duplicate-mac': 'Same device address twice', 'forged-address': 'Forged address' } as Readonly<Record<string, string>>
export const healthLog = 'What happened lately'
export const healthLogLevel = 'Which lines'
export const healthLogAll = 'All'
export const healthLogWarn = 'Warnings'
export const healthLogNone = 'No lines of this kind.'
export const healthLogDropped = (count: number): string => `${count.toLocaleString('en')} older lines are gone.`
export const healthCare = 'Take care of it'
export const healthBackup = 'Backup'
export const healthBackupLead = 'A copy of the whole book: sales, vouchers, settings. It holds voucher codes, so keep it like money.'
export const healthBackupButton = 'Download backup'
export const healthBackupDone = 'Backup downloaded.'
export const healthBundle = 'Support bundle'
export const healthBundleLead = 'What a technician needs to help you. It holds no passwords, keys or voucher codes.'
export const healthBundleButton = 'Download bundle'
export const healthWords = 'Recovery words'
export const healthWordsLead = 'Words that bring back the box’s own key, and with it your earnings, if the box breaks. They are shown once, then erased from the box.'
export const healthWordsButton = 'Show the words'
export const healthWordsShown = 'They were shown already. The box does not have them any more.'
export const healthWordsTitle = 'Recovery words'
export const healthWordsWarn = 'Have pen and paper ready, and nobody behind you. The words are shown this one time. No photo, no e-mail.'
export const healthWordsPassword = 'Your owner password'
export const healthWordsReveal = 'Show them now'
export const healthWordsNow = 'Write these down, in this order'
export const healthWordsOnce = 'When you close this, they are gone for good.'
export const healthWordsWritten = 'I have written them down'
export const healthWordsClose = 'Close for good'

// settings
export const settingsTitle = 'Settings'
export const settingsAbout = 'Name, password, second box'
export const settingsPlace = 'Your place'
export const settingsName = 'Name of the place'
export const settingsNameHint = 'On the guest’s page and on vouchers you print from now on.'
export const settingsNameSaved = 'Name saved.'
export const settingsPassword = 'Password'
export const settingsCurrent = 'Password now'
export const settingsNext = 'New password'
export const settingsChange = 'Change password'
export const settingsChanged = 'Password changed. Other devices have to sign in again.'
export const settingsLook = 'Look of this page'
export const settingsLooks = { auto: 'Like the device', light: 'Light', dark: 'Dark' }
export const settingsKeys = 'A second box'
export const settingsKeysLead = 'Boxes with the same voucher keys accept each other’s vouchers. Type these words on the second box, with `meshbox voucher key adopt`.'
export const settingsKeysPublic = 'Voucher key of this box'
export const settingsKeysButton = 'Show the voucher words'
export const settingsKeysTitle = 'Voucher words'
export const settingsKeysWarn = 'Whoever has these words can make vouchers for your Wi-Fi. Make sure nobody looks over your shoulder.'
export const settingsKeysNow = 'Type these on the second box, in this order'
export const settingsNetwork = 'Network'
export const settingsNetworkLead = 'Set in the box’s own configuration, shown here so that you can check it.'
export const settingsFacts = { guest: 'Guest network', uplink: 'Way out', portal: 'Guest page', isolation: 'Guests see each other', garden: 'Free for everybody', dashboard: 'This dashboard', shares: 'Shares' }
export const settingsIsolationOn = 'no'
export const settingsIsolationOff = 'yes'
export const settingsShare = (percent: string, who: string): string => `${percent} % to ${who}`
export const settingsSharesNone = 'none, all of it is yours'
export const settingsAddress = 'Address of the box'
export const settingsSignOutLead = (minutes: number): string => `You are signed out by yourself after ${plural(minutes, 'minute', 'minutes')} away.`
