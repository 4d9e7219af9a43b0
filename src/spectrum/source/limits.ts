/**
 * Every bound of this room in one place, with its reason. What eth/63 fixes is marked (spec 3): a peer that
 * keeps to the protocol never meets the others.
 */

/** eth/63: no larger message. */
export const MAX_MESSAGE_BYTES = 10 * 1024 * 1024
/** eth/63: what one request may ask for, and what a server sends back at most. */
export const MAX_HEADERS = 192
export const MAX_BODIES = 128
export const MAX_RECEIPTS = 128
export const MAX_NODES = 384
/** eth/63: a server stops adding items to a reply here. */
export const SOFT_REPLY_BYTES = 2 * 1024 * 1024
/** The same for a neighbour of the mesh: its frame holds 1 MiB, and a longer one would end the link. */
export const MESH_REPLY_BYTES = 512 * 1024
/** Hashes in a request that still decodes; more than any client asks for, and less than costs anything. */
export const MAX_ASKED_HASHES = 1024
export const MAX_ANNOUNCED_HASHES = 256
/** Of one Transactions message. The original sends its pool in packs of 100 KiB. */
export const MAX_PUSHED_TRANSACTIONS = 4096
export const MAX_TRANSACTIONS_BYTES = 1024 * 1024
/** The original's pool refuses larger ones. */
export const MAX_POOLED_TRANSACTION_BYTES = 32 * 1024
/** Code and trie nodes: the largest code is 24 KiB, a node is below 600 bytes. */
export const MAX_NODE_DATA_BYTES = 4 * 1024 * 1024
export const MAX_REQUEST_BYTES = 64 * 1024

/** How many requests of ours wait with one peer; a caller above gets `source-busy`. */
export const MAX_OUTSTANDING_REQUESTS = 8
/** An answer that is not whole by then is none. */
export const REQUEST_TIMEOUT_MS = 15_000
/** How many requests of one peer wait for our answer before we stop reading from it. */
export const MAX_WAITING_ANSWERS = 4
/** The same of a neighbour of the mesh, of whom nobody can stop reading: as many as it asks at once, and as many that it has given up. */
export const MAX_WAITING_NEIGHBOUR_ANSWERS = 2 * MAX_OUTSTANDING_REQUESTS

/** Questions of neighbours that this box asks of others for them, at one time: sources take eight of ours, and half of them stay ours. */
export const MAX_PASSING_ON = 4
export const MAX_PASSING_ON_EACH = 2
/** Sources that are asked for one thing; more only add to what a question costs that nobody can answer. Who lately had state is asked for it first. */
export const MAX_ASKED_FOR_NODES = 3
export const MAX_ASKED_FOR_RECEIPTS = 8
/** Shorter than who asks for state waits (sync/proved-state.ts). */
export const PASS_ON_MS = 8_000
/** Of one question; who asks for more asks again. 64 codes of contracts, the largest of nodes, are 1.5 MiB. */
export const MAX_PASSED_ON_NODES = 64
export const MAX_PASSED_ON_RECEIPTS = 8
export const MAX_PASSED_ON_BYTES = 512 * 1024
/** In a request. What is asked for in vain costs that, times the sources. */
export const ASKED_HASH_BYTES = 33
/** Whose allowance is remembered, there or gone. */
export const MAX_PASSED_ON_NEIGHBOURS = 128
/** For one neighbour, and for all: burst, and per second. A block is verified with some 5 KiB of state. */
export const PASSED_ON_BYTES = { burst: 2 * 1024 * 1024, perSecond: 16 * 1024 }
export const ALL_PASSED_ON_BYTES = { burst: 8 * 1024 * 1024, perSecond: 64 * 1024 }

/** Items that are read from disk in one turn of the event loop. */
export const ANSWER_SLICE = 16
/** From the connection to the Status of the other side. */
export const HANDSHAKE_TIMEOUT_MS = 8_000
export const PING_INTERVAL_MS = 15_000
/** Nothing at all heard for this long, although we asked: gone. */
export const SILENCE_MS = 40_000
/** A frame once begun must be there, and a message once queued must be taken. */
export const STALL_MS = 30_000

/** Messages of every kind from one peer, pings and requests too: burst, and per second. */
export const ALL_MESSAGES = { burst: 1000, perSecond: 250 }
/** Messages that nobody asked for: burst, and per second. One block of the largest size fits the burst. */
export const UNASKED_MESSAGES = { burst: 400, perSecond: 100 }
export const UNASKED_BYTES = { burst: 16 * 1024 * 1024, perSecond: 512 * 1024 }
/** What we serve to one peer: above it, it waits. */
export const SERVED_BYTES = { burst: 8 * 1024 * 1024, perSecond: 1024 * 1024 }

/** Boxes that are guests (guests.ts). Questions of one: burst, and per second. Following a chain takes a few for each block. */
export const GUEST_QUESTIONS = { burst: 200, perSecond: 20 }
/** Its questions that are under way; more breaks the rules, since nobody asks so many. */
export const MAX_GUEST_QUESTIONS = 2 * MAX_OUTSTANDING_REQUESTS
/** Answers to guests that are being made at one time. */
export const MAX_GUEST_ANSWERS = 2
/** An answer has no more items once it is so large: what is left out is asked for again. */
export const GUEST_REPLY_BYTES = 128 * 1024
/** A larger block is announced by its hash. */
export const MAX_GUEST_BLOCK_BYTES = 64 * 1024
/** What is served to one guest, and to all of a kind (partners in channels, and others): burst, and per second. */
export const GUEST_BYTES = { burst: 2 * 1024 * 1024, perSecond: 128 * 1024 }
export const ALL_GUESTS_BYTES = { burst: 4 * 1024 * 1024, perSecond: 256 * 1024 }
/** Longer than this nobody waits for the allowance: the question is refused instead. So long take the answers to all that a box asks at once. */
export const MAX_GUEST_WAIT_MS = (1000 * MAX_OUTSTANDING_REQUESTS * GUEST_REPLY_BYTES) / GUEST_BYTES.perSecond
/** Transactions of one guest or neighbour, and of all of a kind: each costs a proof of its sender's account. */
export const OFFERED_TRANSACTIONS = { burst: 8, perSecond: 0.2 }
export const ALL_OFFERED_TRANSACTIONS = { burst: 32, perSecond: 1 }
/** Whose allowance of them is remembered, there or gone. */
export const MAX_REMEMBERED_OFFERERS = 128
/** Guests whose allowance is remembered, there or gone. */
export const MAX_REMEMBERED_GUESTS = 128

/** Hashes remembered of one peer, so as not to send back what it sent. 32 bytes each, as text some 100. */
export const KNOWN_BLOCKS = 256
export const KNOWN_TRANSACTIONS = 4096

/** Waiting to be written to one peer; above it announcements are left out. */
export const MAX_OUTBOX_BYTES = 4 * 1024 * 1024
/** Messages up to this size are read without asking the shared budget. */
export const FREE_MESSAGE_BYTES = 64 * 1024
/** All larger messages that are being read at one time, over all peers. */
export const RECEIVE_BUDGET_BYTES = 24 * 1024 * 1024

export const MAX_PENDING_HANDSHAKES = 16
export const MAX_PENDING_HANDSHAKES_PER_ADDRESS = 6
/** Connections accepted from one address, behind which may be many neighbours: burst, and per second. */
export const ACCEPTED_CONNECTIONS = { burst: 32, perSecond: 1 }
export const MAX_PEERS = 25

/** Protocol broken: kept out this long. */
export const BREACH_BAN_SECONDS = 600
/** It held room that others wait for, and sent nothing. Short: its link may be bad. */
export const STALL_BAN_SECONDS = 60
/** A lie proved by its own bytes. */
export const LIE_BAN_SECONDS = 7 * 86_400
export const MAX_BANS = 1024
