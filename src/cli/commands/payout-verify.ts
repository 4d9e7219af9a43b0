/** `meshbox payout verify FILE`: needs no service and not the box that paid, so that whoever was paid can check it anywhere. */
import type { Address, Hash } from '../../base/index.ts'
import { formatAmount } from '../../base/index.ts'
import type { Statement } from '../../payout/statement/index.ts'
import { argument, hasFlag, numberOption, textOption, usageError } from '../command.ts'
import type { CommandSpec, Context } from '../command.ts'
import { readTextFile } from '../files.ts'
import { pairs, plain, wrap } from '../text.ts'

const MILLION = 1_000_000
type Paid = Pick<Statement, 'reference' | 'amount' | 'routed'>

export const payoutVerify: CommandSpec = {
  words: ['payout', 'verify'],
  summary: 'do statements of payouts hold: sums, split, signature, payment',
  details: `FILE is one statement, or a series as meshbox payout statement --series writes it; - is
standard input. Works without the service. Checks the box's signature, that the lines
make the sum and the payment is for these lines, the split, and that each statement
follows the one before it. Give --box and --to to be sure whose they are, --share for
the parts per million that were agreed. With --received this box is asked whether
these payments came. Exit code 1 when anything is wrong.`,
  arguments: [{ name: 'FILE' }],
  options: [
    { name: 'box', value: 'ADDRESS', help: 'address that must have signed (meshbox identity there)' },
    { name: 'to', value: 'ADDRESS', help: 'Photon account that must have been paid' },
    { name: 'share', value: 'PARTS', help: 'of a million: each earning must be split so' },
    { name: 'received', help: 'ask the service here for the payments' },
  ],
  run: async (context) => {
    const wishes = { box: addressOption(context, 'box'), to: addressOption(context, 'to'), partsPerMillion: numberOption(context, 'share', 1, MILLION) ?? null }
    // Loaded only here: the arithmetic of signatures would slow every other command down.
    const { MAX_STATEMENTS_BYTES, routedNote, verifyStatements } = (await import('./tool-room.ts')).payoutStatements
    const { problems, notes, statements } = verifyStatements(await readTextFile(context.io, argument(context, 0), MAX_STATEMENTS_BYTES), wishes)
    const all = [...problems]
    if (all.length === 0 && hasFlag(context, 'received'))
      for (const statement of statements) {
        const { number } = statement
        const reason = await whyNotReceived(context, statement, routedNote)
        if (reason !== null) all.push(`statement ${number}: ${reason}`)
      }
    const facts = statements.map(({ box, account, number, token, decimals, to, amount, reference, routed, lines, paidAt }) => ({ box, account, number, token, amount: { units: amount.toString(), text: formatAmount(amount, decimals) }, to, payment: reference, routed: routed === null ? null : { lock: routed.secretHash, fee: { units: routed.fee.toString(), text: formatAmount(routed.fee, decimals) }, via: routed.via }, lines: lines.length, paidAt }))
    const json = { valid: all.length === 0, problems: all, notes, statements: facts }
    if (all.length > 0) return { json, text: ['NOT VALID', ...all.map((problem) => wrap(plain(problem)))].join('\n'), exitCode: 1 }
    const texts = facts.map((one) =>
      pairs([
        ['Statement', `${one.number} of ${one.account}`],
        ['Amount', `${one.amount.text} ${plain(one.token)}, ${one.lines} entries of the book`],
        ['To', one.to],
        ['Payment', one.payment],
        ...(one.routed === null ? [] : ([['Lock', one.routed.lock], ['Fee', `${one.routed.fee.text} ${plain(one.token)}, on top, at the cost of who paid`]] as const)),
        ['Paid', one.paidAt],
      ]),
    )
    return { json, text: [`VALID, signed by ${facts[0]?.box ?? ''}`, ...texts, ...notes.map((note) => wrap(plain(note)))].join('\n\n') }
  },
}

/** Null: it came. Errors: unavailable, where no service runs here. */
async function whyNotReceived(context: Context, { reference: made, amount, routed }: Paid, routedNote: (reference: Hash) => string): Promise<string | null> {
  // A routed payment is known by its lock, and its data names what it is for; without data its secret came from the chain.
  const reference = routed?.secretHash ?? made
  try {
    const payment = await context.service.call('photonPayment', { params: { id: reference } })
    if (payment.direction !== 'received') return `the payment ${reference} is none that this box received`
    if (payment.state !== 'done') return `the payment ${reference} has not come in yet`
    if (routed !== null && payment.data !== '' && payment.data !== routedNote(made)) return `the payment ${reference} was made for something else: ${plain(payment.data)}`
    return payment.amount.units === amount.toString() ? null : `this box received ${payment.amount.units} under ${reference}, not ${amount}`
  } catch (thrown) {
    if (thrown instanceof Error && 'kind' in thrown && thrown.kind === 'not-found') return `this box knows no payment ${reference}`
    throw thrown
  }
}

function addressOption(context: Context, name: string): Address | null {
  const text = textOption(context, name)
  if (text === undefined) return null
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw usageError(`--${name}: '${text}' is not an address, 0x and 40 hex digits`)
  return text.toLowerCase() as Address
}
