/** Sessions that go from box to box with their guests. docs/hotspot.md */
export { Roaming } from './roaming.ts'
export type { RoamGuide, UsedAway, VisitJournal, WalkingGuests, WalkingSession } from './ports.ts'
