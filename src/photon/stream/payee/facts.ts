/** What the service that is sold is told of a session. */
import type { PayeeChannel, PayeeSession } from './channel.ts'
import type { StreamFacts } from './ports.ts'

export function factsOf({ account }: PayeeChannel, session: PayeeSession): StreamFacts {
  const { unit, tickSeconds, graceTicks } = session.terms
  return {
    channel: account.channel,
    epoch: account.epoch,
    stream: `${account.channel}.${account.epoch}.${session.id.toString(16).padStart(8, '0')}`,
    device: session.device,
    payer: account.payer,
    token: account.token,
    unit,
    tickSeconds,
    graceTicks,
    base: session.base,
  }
}
