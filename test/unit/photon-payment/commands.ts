import type { ChannelCommand, PaymentCommand } from '../../../src/photon/payment/index.ts'

const KINDS: ReadonlySet<string> = new Set(['send-direct', 'send-locked', 'send-unlock', 'send-expired', 'send-disposed', 'send-disposed-response', 'learn-secret'])

export function isChannelCommand(command: PaymentCommand): command is ChannelCommand {
  return KINDS.has(command.kind)
}
