/** Tickets: the secret link that moves a running session to another device. */
export { issueTicket, readTicket } from './ticket.ts'
export type { TicketFacts } from './ticket.ts'
