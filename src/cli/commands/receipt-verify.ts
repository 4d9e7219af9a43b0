/** `meshbox receipt verify FILE`: needs no service, so that anybody can check a receipt anywhere. */
import { receiptJson } from '../../owner/api/index.ts'
import { argument, textOption, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { readTextFile } from '../files.ts'
import { pairs, plain } from '../text.ts'

const MAX_RECEIPT_BYTES = 16 * 1024

export const receiptVerify: CommandSpec = {
  words: ['receipt', 'verify'],
  summary: "is a guest's receipt genuine, and whose is it",
  details: `FILE is the receipt as text, - is standard input. Works without the service. A valid
signature says that the box with that address wrote it; give --box to be sure that
it is the box you mean. Exit code 1 when the receipt is not valid.`,
  arguments: [{ name: 'FILE' }],
  options: [{ name: 'box', value: 'ADDRESS', help: 'address that must have signed it (meshbox identity)' }],
  run: async (context) => {
    const box = textOption(context, 'box')
    if (box !== undefined && !/^0x[0-9a-fA-F]{40}$/.test(box)) throw usageError(`--box: '${box}' is not an address, 0x and 40 hex digits`)
    // Loaded only here: the arithmetic of signatures would slow every other command down.
    const { verifyReceipt } = await import('../../hotspot/receipt/index.ts')
    const check = verifyReceipt(await readTextFile(context.io, argument(context, 0), MAX_RECEIPT_BYTES))
    const answer = receiptJson(check, check.valid && box?.toLowerCase() === check.address.toLowerCase() ? check.address : null)
    if (!answer.valid) return { json: answer, text: `NOT VALID: ${plain(answer.reason ?? '')}`, exitCode: 1 }
    const facts = pairs(answer.facts.map((fact) => [fact.name, fact.value] as const))
    if (box !== undefined && !answer.ours)
      return { json: { ...answer, valid: false, reason: 'signed by another box' }, text: `NOT VALID: signed by ${answer.signer ?? ''}, another box\n\n${facts}`, exitCode: 1 }
    return { json: answer, text: `VALID, signed by ${answer.signer ?? ''}\n\n${facts}` }
  },
}
