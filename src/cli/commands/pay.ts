/** `meshbox pay TARGET AMOUNT` */
import { setTimeout as pause } from 'node:timers/promises'
import type { PhotonPayReply } from '../../owner/api/index.ts'
import { argument, hasFlag, textOption, usageError } from '../command.ts'
import type { CommandSpec, Context } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'
import { TOKEN_OPTION, accountArgument, amountText } from './channel-text.ts'
import { paymentText } from './pay-text.ts'

/** Most payments are done before the first look; one over several boxes takes a second or two. */
const LOOKS = 40
const LOOK_MS = 250
const UNDER_WAY = new Set(['started', 'cancellable', 'committed'])

export const pay: CommandSpec = {
  words: ['pay'],
  summary: 'pay another account over channels',
  details: `Finds the cheapest way there and waits up to 10 seconds for the end. AMOUNT is in
tokens. With --hold the payment waits until whoever knows the secret of that SHA-256
lets it go, or its time is over; it is then not waited for. Given twice, it is paid
twice. Exit code 1 when it failed.`,
  arguments: [{ name: 'TARGET' }, { name: 'AMOUNT' }],
  options: [
    TOKEN_OPTION,
    { name: 'direct', help: 'only over a channel with TARGET; also works off line' },
    { name: 'max-fee', value: 'AMOUNT', help: 'in tokens (default: a hundredth of the amount)' },
    { name: 'data', value: 'TEXT', help: 'what TARGET is told, up to 256 bytes' },
    { name: 'hold', value: 'HASH', help: 'SHA-256 of a secret that decides' },
  ],
  run: async (context) => {
    const [token, maxFee, data, secretHash] = ['token', 'max-fee', 'data', 'hold'].map((name) => textOption(context, name))
    if (secretHash !== undefined && !/^0x[0-9a-fA-F]{64}$/.test(secretHash)) throw usageError(`--hold: '${secretHash}' is not a hash, 0x and 64 hex digits`)
    const ordered = await context.service.call('pay', {
      body: {
        target: accountArgument(context, 0, 'TARGET'),
        amount: amountText(argument(context, 1), 'AMOUNT'),
        direct: hasFlag(context, 'direct'),
        ...(token === undefined ? {} : { token }),
        ...(maxFee === undefined ? {} : { maxFee: amountText(maxFee, '--max-fee') }),
        ...(data === undefined ? {} : { data }),
        ...(secretHash === undefined ? {} : { secretHash }),
      },
    })
    const reply = secretHash === undefined ? await context.busy('paying', ended(context, ordered)) : ordered
    const { id, payment } = reply
    const hasFailed = payment?.state === 'failed' || payment?.state === 'cancelled'
    return { json: reply, text: payment === null ? `Ordered: meshbox pay show ${id}` : paymentText(payment), exitCode: hasFailed ? EXIT_FAILED : EXIT_OK }
  },
}

/** How it stands when it has ended, or when waiting is over. */
async function ended(context: Context, ordered: PhotonPayReply): Promise<PhotonPayReply> {
  let { payment } = ordered
  for (let look = 0; look < LOOKS && payment !== null && UNDER_WAY.has(payment.state); look++) {
    await pause(LOOK_MS)
    payment = await context.service.call('photonPayment', { params: { id: ordered.id } })
  }
  return { id: ordered.id, payment }
}
