/** A request to our own host, parsed and bounded: what the routes work with. */
import type { Config } from '../../config/index.ts'
import type { ClientAddress, GuestDesk } from '../types.ts'
import type { Answer } from './answer.ts'
import type { Destination } from './destination.ts'
import type { Front } from './front.ts'
import type { Language } from './languages/language.ts'
import type { PageContext, PageMessage } from './page/context.ts'
import type { Seals } from './seals.ts'
import type { AheadDoor } from '../ahead/index.ts'
import type { StreamDoor } from '../stream/index.ts'

export interface Asked {
  readonly path: string
  readonly accept: string
  readonly acceptEncoding: string
  readonly ifNoneMatch: string
  readonly language: Language
  readonly chosenLanguage: string | null
  readonly destination: Destination | null
  /** Our origin as this guest reaches it. */
  readonly origin: string
  /** `https://…/` while the TLS portal can be announced; null otherwise. */
  readonly tlsPortalUrl: string | null
  /** null = the address is not (yet) in the neighbour table. */
  readonly client: ClientAddress | null
}

/** Asked by a device we know. */
export interface AskedByGuest extends Asked {
  readonly client: ClientAddress
}

export interface Counter<Desk> {
  readonly desk: Desk
  readonly config: Config
  readonly seals: Seals
  readonly front: Front
  /** What minutes by the second cost, and a payer's balance; null: not sold so. */
  readonly stream: Pick<StreamDoor, 'board' | 'balance' | 'purse' | 'order' | 'takeOut'> | null
  /** Minutes for boxes; null: not sold. */
  readonly ahead: AheadDoor | null
}

/** What a GET may do: look. The verbs that change something are not reachable from a GET by type. */
export type LookingDesk = Pick<GuestDesk, 'view' | 'board' | 'preview' | 'receipt' | 'keptAddress' | 'keptElsewhere'>

export type GuestGet = (asked: AskedByGuest, counter: Counter<LookingDesk>, argument: string) => Answer | Promise<Answer>
export type OpenGet = (asked: Asked, counter: Counter<LookingDesk>, argument: string) => Answer
export type GuestPost = (asked: AskedByGuest, counter: Counter<GuestDesk>, form: URLSearchParams) => Promise<Answer>

export function pageContext(asked: Asked, counter: Pick<Counter<unknown>, 'config' | 'seals' | 'front' | 'stream'>, message: PageMessage | null = null): PageContext {
  return {
    venue: counter.config.main.name,
    language: asked.language,
    chosenLanguage: asked.chosenLanguage,
    destination: asked.destination,
    formToken: asked.client === null ? null : counter.seals.formToken(asked.client.mac),
    origin: asked.origin,
    selfPath: message === null ? asked.path : '/',
    script: counter.front.script,
    hasWallet: counter.front.wallet !== null,
    hasPay: counter.front.wallet !== null && (counter.stream?.board() ?? null) !== null,
    message,
  }
}
