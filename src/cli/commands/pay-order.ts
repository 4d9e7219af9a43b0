/** `meshbox pay show`, `cancel` and `allow-reveal`: one payment, and the owner's word on it. */
import type { PhotonPaymentJson } from '../../owner/api/index.ts'
import type { CommandSpec, Context } from '../command.ts'
import { paymentArgument, paymentText } from './pay-text.ts'

export const payShow = paymentSpec('show', 'one payment', 'PAYMENT is its id, or as much of its beginning as only one of the newest has.', ({ service }, id) => service.call('photonPayment', { params: { id } }))
export const payCancel = paymentSpec(
  'cancel',
  'call a payment back',
  'Works as long as the secret is not out. What is locked for it comes back when its time is over, or as soon as the boxes on the way let it go.',
  ({ service }, id) => service.call('cancelPayment', { params: { id } }),
)
export const payAllowReveal = paymentSpec('allow-reveal', 'let a held payment go', 'From then on it cannot be called back.', ({ service }, id) => service.call('allowReveal', { params: { id } }))

function paymentSpec(verb: string, summary: string, details: string, ask: (context: Context, id: string) => Promise<PhotonPaymentJson>): CommandSpec {
  return {
    words: ['pay', verb],
    summary,
    details,
    arguments: [{ name: 'PAYMENT' }],
    run: async (context) => {
      const payment = await ask(context, await paymentArgument(context, 0))
      return { json: payment, text: paymentText(payment) }
    },
  }
}
