/**
 * What a language of the guest page consists of. A file that lacks a string, a plural form or a unit does
 * not compile. Plural rules and number signs are our own and not the runtime's `Intl`: Node on OpenWrt is
 * built with English data only (small-icu) or none, and would then count Russian minutes the English way.
 * The rules are those of CLDR; the unit tests hold them against a full `Intl`.
 *
 * `{name}` in a string is a gap; every language has the same gaps as English (tested).
 */
export type PluralCategory = 'zero' | 'one' | 'two' | 'few' | 'many' | 'other'
export type Counted = 'day' | 'hour' | 'minute' | 'second' | 'device'
export type DataUnit = 'kilobyte' | 'megabyte' | 'gigabyte'

export interface Texts {
  /** What this is, beside the venue's name. */
  readonly guestWifi: string
  readonly language: string

  readonly getOnline: string
  readonly codeLabel: string
  readonly codeHint: string
  readonly goOnline: string
  readonly whereVoucher: string
  readonly tryFree: string
  readonly trialOffer: string
  readonly prices: string
  readonly discount: string
  readonly insteadOf: string
  readonly pauseAnyTime: string
  readonly noTimeLimit: string
  readonly noDataLimit: string

  readonly connecting: string
  readonly connectingNote: string

  readonly online: string
  readonly timeLeft: string
  readonly dataLeft: string
  readonly leftSay: string
  readonly usedSoFar: string
  readonly almostOver: string
  readonly goOn: string
  readonly comeBack: string
  readonly pause: string
  readonly resume: string
  readonly addTime: string
  readonly addTimeNote: string
  readonly move: string
  readonly receipt: string
  readonly end: string
  readonly endWarning: string
  readonly endNow: string

  readonly paused: string
  readonly pausedNote: string
  readonly pausedIdle: string
  readonly pausedOwner: string
  readonly pausedRestart: string
  readonly roamVisiting: string
  readonly roamElsewhere: string
  readonly roamSilent: string
  readonly roamProve: string
  readonly roamKey: string
  readonly roamKeySoon: string
  readonly roamKeyShown: string
  readonly roamDear: string
  readonly unsteadyInternet: string
  readonly noInternet: string
  readonly noInternetPause: string

  readonly timeOver: string
  readonly dataUsed: string
  readonly endedByYou: string
  readonly endedByVenue: string
  readonly refunded: string
  readonly withdrawn: string
  readonly replaced: string
  readonly anotherCode: string

  readonly stillGood: string
  readonly stillGoodNote: string
  readonly tryAgain: string

  readonly yourVoucher: string
  readonly scannedNote: string
  readonly useVoucher: string
  readonly moveHere: string
  readonly moveHereNote: string

  readonly moveJoin: string
  readonly moveScan: string
  readonly moveSecret: string
  readonly qrLabel: string
  readonly back: string

  readonly receiptNote: string
  readonly saveFile: string

  readonly didNotWork: string
  readonly badCode: string
  readonly codeTypo: string
  readonly codeMissing: string
  readonly voucherUsed: string
  readonly voucherRevoked: string
  readonly voucherExpired: string
  readonly ticketStale: string
  readonly tooManyTries: string
  readonly noRoom: string
  readonly gateFailed: string
  readonly trialUsed: string
  readonly noSession: string
  readonly pageOld: string
  readonly notNow: string
  readonly busy: string
  readonly failed: string

  readonly oneMoment: string
  readonly unknownDevice: string
  readonly notFound: string
  readonly badRequest: string
  readonly tooFast: string
  readonly toStart: string

  readonly walletKeep: string
  readonly walletWhy: string
  readonly walletNeedsScript: string
  readonly walletKept: string
  readonly walletSave: string
  readonly walletLink: string
  readonly walletWalks: string
  readonly walletShowWords: string
  readonly walletWords: string
  readonly walletHave: string
  readonly walletUse: string
  readonly walletBadWords: string
  readonly walletNothing: string
  readonly walletFull: string
  readonly walletOther: string
  readonly walletNone: string
  readonly walletShowKey: string
  readonly walletKey: string
  readonly walletBurner: string

  readonly payGo: string
  readonly payGoWhy: string
  readonly payBalance: string
  readonly paySpent: string
  readonly payAhead: string
  readonly payIfClosed: string
  readonly payAheadNone: string
  readonly payAheadUpTo: string
  readonly payBlock: string
  readonly payStart: string
  readonly payStop: string
  readonly payCode: string
  readonly payAdd: string
  readonly payAdded: string
  readonly payRunning: string
  readonly payEnded: string
  readonly payUsedUp: string
  readonly payNone: string
  readonly payOpening: string
  readonly payOffline: string
  readonly payCap: string
  readonly payOwn: string
  readonly tokenCode: string
  readonly notTokens: string

  readonly purse: string
  readonly purseWhy: string
  readonly purseBalance: string
  readonly purseArriving: string
  readonly purseHow: string
  readonly purseAmount: string
  readonly purseLeast: string
  readonly pursePutIn: string
  readonly purseTo: string
  readonly purseInside: string
  readonly purseSend: string
  readonly purseSent: string
  readonly purseDone: string
  readonly purseFailed: string
  readonly purseTooMuch: string
  readonly purseRunning: string
  readonly purseBadAddress: string
  readonly takeOut: string
  readonly takeOutWhy: string
  readonly takeOutSent: string
  readonly keepFacts: string
  readonly keepFactsWhy: string
}

export interface LanguageData<Category extends PluralCategory> {
  /** BCP 47 primary tag: what `?lang=` and Accept-Language say. */
  readonly code: string
  /** In the language itself. */
  readonly name: string
  readonly direction: 'ltr' | 'rtl'
  readonly decimal: string
  readonly group: string
  /** Whole numbers with fewer digits are written without group signs (CLDR minimumGroupingDigits + 3). */
  readonly groupFromDigits: number
  /** After the first three digits, groups of two (lakh, crore); left out: of three. */
  readonly laterGroups?: 2
  /** The ten digits, zero first. The clock always has Latin ones. */
  readonly digits: string
  readonly percent: string
  readonly plural: (count: number) => Category
  readonly counted: Readonly<Record<Counted, Readonly<Record<Category, string>>>>
  readonly data: Readonly<Record<DataUnit, string>>
  readonly text: Texts
}

/** A language ready for use: its plural categories are its own affair. */
export interface Language extends Omit<LanguageData<PluralCategory>, 'plural' | 'counted'> {
  readonly categories: readonly PluralCategory[]
  /** `{n} minutes` in the form that `count` (a whole number ≥ 0) asks for; the gap is still open. */
  form(thing: Counted, count: number): string
  category(count: number): PluralCategory
}

export function defineLanguage<Category extends PluralCategory>(data: LanguageData<Category>): Language {
  const { plural, counted, ...rest } = data
  return {
    ...rest,
    categories: Object.keys(counted.minute) as Category[],
    form: (thing, count) => counted[thing][plural(count)],
    category: plural,
  }
}

/** Closes the gaps of a string. A gap without a value stays visible, which a test would show. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (gap, name: string) => values[name] ?? gap)
}
