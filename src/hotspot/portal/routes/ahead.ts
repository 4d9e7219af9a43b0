/** Minutes for boxes: what they cost, and an order by reference. Asked by programs, answered in JSON; whose device it is, the neighbour table says. */
import { MeshBoxError } from '../../../base/index.ts'
import type { AheadDoor, AheadPrice } from '../../ahead/index.ts'
import { type Answer, jsonAnswer } from '../answer.ts'
import type { Counter, GuestGet, GuestPost } from '../asked.ts'
import { statusOf } from '../problem.ts'

/** `formToken`: what an order has to carry, as the page's own forms do. */
export const aheadTerms: GuestGet = (asked, counter) => {
  const { minSeconds, maxSeconds, leftSeconds, boxesPort, ...price } = doorOf(counter).terms(asked.client.mac)
  return jsonAnswer(200, { ...priceJson(price), minSeconds, maxSeconds, leftSeconds, boxesPort, formToken: counter.seals.formToken(asked.client.mac) })
}

export const aheadOrder: GuestPost = async (asked, counter, form): Promise<Answer> => {
  try {
    const answer = await doorOf(counter).order(asked.client.mac, form.get('reference') ?? '')
    return jsonAnswer(200, answer.state === 'paid' ? answer : { state: answer.state, ...priceJson(answer) })
  } catch (error) {
    if (!(error instanceof MeshBoxError) || error.kind === 'internal') throw error
    return jsonAnswer(statusOf(error), error.toPublic(), error.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.retryAfterSeconds) })
  }
}

function priceJson({ payee, token, unitsPerMinute }: AheadPrice): { readonly payee: string; readonly token: string; readonly unitsPerMinute: string } {
  return { payee, token, unitsPerMinute: unitsPerMinute.toString() }
}

/** Errors: not-found where nothing is sold so. */
function doorOf({ ahead }: Pick<Counter<unknown>, 'ahead'>): AheadDoor {
  if (ahead === null) throw new MeshBoxError('not-found', 'there is no such page', { code: 'not-found' })
  return ahead
}
