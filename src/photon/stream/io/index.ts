/** The doors of a stream: its journals on tmpfs and flash. */
export { FlashJournal } from './journal.ts'
