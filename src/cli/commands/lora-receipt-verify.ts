/** `meshbox lora receipt verify FILE`: needs no service and no box, so that a payer can check his bill anywhere. */
import type { Address } from '../../base/index.ts'
import { argument, textOption, usageError } from '../command.ts'
import type { CommandSpec, Context } from '../command.ts'
import { readTextFile } from '../files.ts'
import { pairs, plain, wrap } from '../text.ts'

export const loraReceiptVerify: CommandSpec = {
  words: ['lora', 'receipt', 'verify'],
  summary: "does a tenant's bill hold: receipts, units, frames",
  details: `FILE is JSON: one receipt, or receipts with the units they are made of and the frames
that came (frames: SHA-256 of each, or phyPayloads: the frames, in base64); - is standard
input. Works without the service. Checks the signatures, that no two receipts tell two
stories, that the units make the signed hashes and sums, that each billed frame came,
once, and has as many started 24 bytes as were billed. Give --box and --payer to be sure
whose receipts they are, and --price for what a unit costs. Exit code 1 when anything is
wrong.`,
  arguments: [{ name: 'FILE' }],
  options: [
    { name: 'box', value: 'ADDRESS', help: 'address that must have signed them (meshbox identity)' },
    { name: 'payer', value: 'ADDRESS', help: 'address that they must be for' },
    { name: 'price', value: 'UNITS', help: 'most that 24 bytes may cost, in smallest units of the token' },
  ],
  run: async (context) => {
    const price = textOption(context, 'price')
    if (price !== undefined && !/^\d{1,39}$/.test(price)) throw usageError(`--price: '${price}' is not a whole number of smallest units`)
    const [gateway, payer] = [addressOption(context, 'box'), addressOption(context, 'payer')]
    // Loaded only here: the arithmetic of signatures would slow every other command down.
    const { MAX_AUDIT_BYTES, auditBill } = (await import('./tool-room.ts')).iotReceipts
    const { isValid, problems, newest, provenUnits, signer, receipts } = auditBill(await readTextFile(context.io, argument(context, 0), MAX_AUDIT_BYTES), { gateway, payer, pricePerUnit: price === undefined ? null : BigInt(price) })
    const sums = newest === null ? null : { seq: `${newest.seq}`, cumUplinks: `${newest.cumUplinks}`, cumUnits: `${newest.cumUnits}`, cumDownlinkMs: `${newest.cumDownlinkMs}`, cumAmount: `${newest.cumAmount}`, token: newest.token }
    const json = { valid: isValid, signer, payer: newest?.tenant ?? null, receipts, provenUnits, newest: sums, problems: problems.map(({ code, seq, text }) => ({ code, seq: `${seq}`, text })) }
    if (!isValid) return { json, text: ['NOT VALID', ...problems.map(({ code, seq, text }) => wrap(`${code} at ${seq}: ${plain(text)}`))].join('\n'), exitCode: 1 }
    const facts = newest === null ? [] : ([['payer', newest.tenant], ['token', newest.token], ['frames', `${newest.cumUplinks}`], ['units', `${newest.cumUnits}`], ['airtime', `${newest.cumDownlinkMs} ms`], ['owed in all', `${newest.cumAmount} smallest units`]] as const)
    return { json, text: `VALID, signed by ${signer ?? ''}\n\n${pairs([['receipts', `${receipts}`], ['proven', `${provenUnits} units, by the chain of hashes`], ...facts])}` }
  },
}

function addressOption(context: Context, name: string): Address | null {
  const text = textOption(context, name)
  if (text === undefined) return null
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw usageError(`--${name}: '${text}' is not an address, 0x and 40 hex digits`)
  return text.toLowerCase() as Address
}
