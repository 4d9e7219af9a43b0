/**
 * What the town looks like now: boxes, links, guests, and what passes between them. Written by the story and by the watcher, shown
 * by the live page. It knows nothing of either.
 */
import { onSaid, type Said } from './say.ts'

export type BoxState = 'off' | 'starting' | 'on'
export type LinkState = 'up' | 'down' | 'shut'

export interface SceneBox {
  readonly name: string
  /** What it is in the town, in a few words. */
  readonly role: string
  readonly state: BoxState
  /** What it has earned, as its book says; null: it keeps none that is shown. */
  readonly earned: string | null
  /** Short facts, newest figures. */
  readonly facts: readonly string[]
  readonly isCheating: boolean
}

export interface SceneLink {
  readonly from: string
  readonly to: string
  readonly kind: 'wan' | 'mesh' | 'lora'
  readonly state: LinkState
}

export interface SceneGuest {
  readonly name: string
  readonly state: 'captured' | 'online' | 'paused'
  readonly note: string
}

/** Something that passes once. `by`: nodes on its way; money and frames take the same streets. */
export interface Flow {
  readonly kind: 'money' | 'block' | 'frame' | 'bytes'
  readonly by: readonly string[]
  readonly label: string
}

export interface SceneView {
  readonly boxes: Readonly<Record<string, SceneBox>>
  readonly links: Readonly<Record<string, SceneLink>>
  readonly guests: Readonly<Record<string, SceneGuest>>
  readonly figures: Readonly<Record<string, string>>
  /** What this lab cannot show on this machine, in a sentence or two; null: all of it is there, and `make lab` reaches it. */
  readonly missing: string | null
}

export type SceneNews = { readonly type: 'scene'; readonly scene: SceneView } | { readonly type: 'flow'; readonly flow: Flow } | { readonly type: 'said'; readonly said: Said }

const KEPT_LINES = 240
const UNKNOWN: SceneBox = { name: '', role: '', state: 'off', earned: null, facts: [], isCheating: false }

export class Scene {
  readonly #boxes: Record<string, SceneBox> = {}
  readonly #links: Record<string, SceneLink> = {}
  readonly #guests: Record<string, SceneGuest> = {}
  readonly #figures: Record<string, string> = {}
  readonly #missing: string | null
  readonly #said: Said[] = []
  readonly #listeners = new Set<(news: SceneNews) => void>()

  constructor(missing: string | null = null) {
    this.#missing = missing
    onSaid((said) => {
      this.#said.push(said)
      if (this.#said.length > KEPT_LINES) this.#said.shift()
      this.#tell({ type: 'said', said })
    })
  }

  get view(): SceneView {
    return { boxes: this.#boxes, links: this.#links, guests: this.#guests, figures: this.#figures, missing: this.#missing }
  }

  /** Oldest first. */
  get said(): readonly Said[] {
    return this.#said
  }

  box(id: string, change: Partial<SceneBox>): void {
    this.#set(this.#boxes, id, { ...(this.#boxes[id] ?? UNKNOWN), ...change })
  }

  link(id: string, change: Partial<SceneLink> & Pick<SceneLink, 'state'>): void {
    const before = this.#links[id] ?? { from: '', to: '', kind: 'mesh' as const }
    this.#set(this.#links, id, { ...before, ...change })
  }

  guest(id: string, guest: SceneGuest | null): void {
    if (guest !== null) return this.#set(this.#guests, id, guest)
    if (!(id in this.#guests)) return
    delete this.#guests[id]
    this.#tellScene()
  }

  figure(name: string, value: string): void {
    this.#set(this.#figures, name, value)
  }

  flow(flow: Flow): void {
    this.#tell({ type: 'flow', flow })
  }

  /** Until the returned function is called. */
  listen(listener: (news: SceneNews) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #set<T>(into: Record<string, T>, id: string, value: T): void {
    if (JSON.stringify(into[id]) === JSON.stringify(value)) return
    into[id] = value
    this.#tellScene()
  }

  #tellScene(): void {
    this.#tell({ type: 'scene', scene: this.view })
  }

  #tell(news: SceneNews): void {
    for (const listener of this.#listeners) listener(news)
  }
}
