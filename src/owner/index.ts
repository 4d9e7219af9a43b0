/** The owner's side: its verbs, its two doors, and the API they speak. */
export { Owner } from './owner.ts'
export { LogRing } from './log-ring.ts'
export type { LogEvent } from './log-ring.ts'
export type { ConfigDoor, OwnerPorts } from './ports.ts'
export { CSRF_HEADER, ROUTES, SESSION_COOKIE } from './api.ts'
export type * from './api.ts'
