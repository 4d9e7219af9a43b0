/** Checks statements away from the box that wrote them: form, sums, split, payment, signature, and the chain from one to the next. */
import { asError, fromHex } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import { recoverTextSigner } from '../../identity/index.ts'
import { parseBody, referenceOf } from './layout.ts'
import type { ShareTerm, Statement, StatementLine } from './layout.ts'

export const MAX_STATEMENTS_BYTES = 16 * 1024 * 1024
const MAX_STATEMENTS = 1000
/** Half the order of secp256k1's group (SEC 2, section 2.4.1): a larger s is a re-written signature. */
const MAX_S = 0x7fffffff_ffffffff_ffffffff_ffffffff_5d576e73_57a4501d_dfe92f46_681b20a0n
const MILLION = 1_000_000n

export interface StatementWishes {
  /** Who must have signed; lower case. */
  readonly box: Address | null
  /** Who must have been paid; lower case. */
  readonly to: Address | null
  /** The share that was agreed: an earning split otherwise is then a problem, not a note. */
  readonly partsPerMillion: number | null
}

export interface StatementsCheck {
  readonly isValid: boolean
  readonly problems: readonly string[]
  /** True things that the reader should know. */
  readonly notes: readonly string[]
  readonly statements: readonly Statement[]
}

/** `text`: one statement, or a series, oldest first. Never throws. Windows line ends are taken for line feeds. */
export function verifyStatements(text: string, { box, to, partsPerMillion }: StatementWishes): StatementsCheck {
  const problems: string[] = []
  const notes: string[] = []
  const statements: Statement[] = []
  const pieces = text.length > MAX_STATEMENTS_BYTES ? [] : text.replaceAll('\r\n', '\n').split(/(?<=^Signature: 0x[0-9a-f]{130})\n+/m).filter((piece) => piece.trim() !== '')
  if (pieces.length === 0 || pieces.length > MAX_STATEMENTS) problems.push(`there is no statement in it, or more than ${MAX_STATEMENTS}, or it is larger than ${MAX_STATEMENTS_BYTES} bytes`)
  else
    for (const piece of pieces) {
      const read = readOne(piece)
      if (typeof read === 'string') {
        problems.push(`statement ${statements.length + 1} of the file: ${read}`)
        break
      }
      const say = (what: string): void => void problems.push(`statement ${read.number} of ${read.account}: ${what}`)
      if (box !== null && read.box.toLowerCase() !== box) say(`is of the box ${read.box}, not ${box}`)
      if (to !== null && read.to !== to) say(`was paid to ${read.to}, not ${to}`)
      checkSums(read, say)
      checkSplit(read, partsPerMillion, say, notes)
      if (read.routed !== null) notes.push(`statement ${read.number}: it came over other boxes, which got ${read.routed.fee} on top of the amount, at the cost of the box that paid`)
      const before = statements.at(-1)
      if (before !== undefined) checkChain(before, read, say)
      statements.push(read)
    }
  const [first] = statements
  if (first !== undefined && first.previous !== null) notes.push(`it begins with statement ${first.number}: that the ${first.number - 1} before fit, the series from the first one shows`)
  return { isValid: problems.length === 0, problems, notes, statements }
}

function readOne(piece: string): Statement | string {
  const match = /^([^\r]+)\nSignature: 0x([0-9a-f]{130})\n?$/.exec(piece)
  if (match === null) return 'the last line is not a signature'
  const [, body = '', hex = ''] = match
  const signature = fromHex(hex)
  if (BigInt(`0x${hex.slice(64, 128)}`) > MAX_S || (signature[64] !== 27 && signature[64] !== 28)) return 'the signature is not in its one allowed form'
  try {
    const statement = parseBody(body)
    if (recoverTextSigner(body, signature) !== statement.box) return `it is not signed by ${statement.box}, or was changed afterwards`
    const paid = referenceOf(body.slice(0, body.lastIndexOf('\nPayment: ')))
    return statement.reference === paid ? statement : `the payment it names is not for these lines: they make ${paid}`
  } catch (thrown) {
    return asError(thrown).message
  }
}

function checkSums({ lines, amount, afterEntry, upToEntry }: Statement, say: (what: string) => void): void {
  const sum = lines.reduce((total, { gained }) => total + gained, 0n)
  if (sum !== amount) say(`its lines make ${sum}, and ${amount} was paid`)
  let last = afterEntry
  for (const { entryId } of lines) {
    if (entryId <= last || entryId > upToEntry) return say(`entry ${entryId} is out of order, or not behind ${afterEntry} and up to ${upToEntry}`)
    last = entryId
  }
}

function checkSplit({ lines, terms, number }: Statement, agreed: number | null, say: (what: string) => void, notes: string[]): void {
  let others = 0
  for (const line of lines) {
    const part = line.gained < 0n ? -line.gained : line.gained
    if (line.kind === 'post') notes.push(`statement ${number}: entry ${line.entryId} is no earning but ${line.source} ${line.evidence}`)
    else if (part > line.total) say(`entry ${line.entryId}: ${part} is more than the whole of ${line.total}`)
    else if ((line.kind === 'earn') !== line.gained > 0n) say(`entry ${line.entryId}: the sign of ${line.gained} does not fit ${line.kind}`)
    else if (line.kind === 'earn' && agreed !== null && !isPart(line.total, part, agreed)) say(`entry ${line.entryId}: ${part} of ${line.total} is not ${agreed} parts per million`)
    else if (line.kind === 'earn' && !isPart(line.total, part, partsOf(terms, line))) others += 1
  }
  if (others > 0 && agreed === null) notes.push(`statement ${number}: ${others} earnings were split by another share than the one that was in force when it was paid`)
}

/** The largest remainder's method gives everybody the rounded-down part, or one unit more. */
function isPart(total: bigint, part: bigint, partsPerMillion: number): boolean {
  const floor = (total * BigInt(partsPerMillion)) / MILLION
  return part === floor || (part === floor + 1n && (total * BigInt(partsPerMillion)) % MILLION !== 0n)
}

function partsOf(terms: readonly ShareTerm[], { source }: StatementLine): number {
  return terms.reduce((sum, { partsPerMillion, sources }) => (sources.length === 0 || sources.some((name) => source === name || source.startsWith(`${name}:`)) ? sum + partsPerMillion : sum), 0)
}

function checkChain(before: Statement, next: Statement, say: (what: string) => void): void {
  if (next.box !== before.box || next.account !== before.account || next.token !== before.token) return say(`is of another box, account or token than the one before it (${before.account}, ${before.token})`)
  if (next.number !== before.number + 1) say(`follows number ${before.number}`)
  if (next.previous !== before.reference) say('does not name the payment of the one before it')
  if (next.afterEntry !== before.upToEntry) say(`begins behind entry ${next.afterEntry}, and the one before ended with ${before.upToEntry}`)
}
