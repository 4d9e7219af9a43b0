/** Generic netlink on the native addon (native/genetlink): promises and watchers over its one listener. */
import { constants } from 'node:os'
import { MeshBoxError, inputError } from '../../base/index.ts'
import { textAttribute } from '../genetlink-attributes.ts'
import { CONTROLLER, FAMILY_NAME, FAMILY_NAME_BYTES, GET_FAMILY, decodeFamily, splitMessages } from '../genetlink-controller.ts'
import { DEFAULT_GENETLINK_ANSWER_BYTES, GenetlinkRefused, MAX_GENETLINK_REQUEST_BYTES, MAX_GENETLINK_WAITING, NO_GENETLINK } from '../genetlink.ts'
import type { Genetlink, GenetlinkCall, GenetlinkDoor, GenetlinkFamily, GenetlinkMessage, GenetlinkOptions, GenetlinkWatcher } from '../genetlink.ts'
import { loadAddon } from './load-addon.ts'

type Listener = (news: number, ticket: number, error: number, text: string, value: number, bytes: Uint8Array) => void

/** What native/genetlink/addon.cc exports. All return at once; false: the channel is closed. */
export interface GenetlinkAddon {
  open(namespacePath: string, receiveBytes: number, listener: Listener, isRoute: boolean): number
  request(channel: number, ticket: number, isDump: boolean, family: number, command: number, version: number, attributes: Uint8Array, answerBytes: number): boolean
  setMembership(channel: number, ticket: number, group: number, isMember: boolean): boolean
  interfaceIndex(channel: number, ticket: number, name: string): boolean
  cancel(channel: number, ticket: number): boolean
  hold(channel: number, keepsAlive: boolean): boolean
  close(channel: number): boolean
}

const FUNCTIONS: Readonly<Record<keyof GenetlinkAddon, true>> = { open: true, request: true, setMembership: true, interfaceIndex: true, cancel: true, hold: true, close: true }

/** The numbers of addon.cc. */
const NEWS = { opened: 0, done: 1, event: 2, lost: 3, broken: 4 } as const

const RECEIVE_BYTES = 1024 * 1024
const MAX_BYTES = 64 * 1024 * 1024
const MAX_PATH_BYTES = 4095
const MAX_COMMAND = 255
const MAX_TICKET = 0xffff_ffff
/** The ticket of the opening. */
const OPENING = 0
/** A list that changes under every look is asked for this often. */
const DUMP_ATTEMPTS = 5
/** With the zero byte that the kernel adds. */
const INTERFACE_NAME_BYTES = 16
const EMPTY = new Uint8Array(0)

/**
 * The addon at this absolute path. Null: no addon is installed, every `open` says so.
 * Errors: input `path`; unavailable `addon-unusable`.
 */
export function loadGenetlink(path: string | null): GenetlinkDoor {
  if (path === null) return NO_GENETLINK
  return doorOver(loadAddon(path, Object.keys(FUNCTIONS)) as unknown as GenetlinkAddon)
}

/** The door over an addon that is loaded already. */
export function doorOver(addon: GenetlinkAddon): GenetlinkDoor {
  return { open: (options = {}) => Channel.open(addon, options) }
}

interface Answer {
  readonly bytes: Uint8Array
  /** An interface's index; or 1: what was dumped changed meanwhile. */
  readonly value: number
}

interface Waiting {
  resolve(answer: Answer): void
  refuse(errno: string, words: string): void
  reject(error: Error): void
}

interface Watch {
  readonly family: number
  readonly group: number
  readonly watcher: GenetlinkWatcher
}

class Channel implements Genetlink {
  readonly #addon: GenetlinkAddon
  readonly #number: number
  readonly #waiting = new Map<number, Waiting>()
  readonly #watches = new Set<Watch>()
  #lastTicket = OPENING
  #isHeld = false
  #closed: MeshBoxError | null = null

  static async open(addon: GenetlinkAddon, { namespacePath = null, receiveBytes = RECEIVE_BYTES, protocol = 'generic' }: GenetlinkOptions): Promise<Channel> {
    if (namespacePath !== null && (namespacePath === '' || namespacePath.includes('\0') || Buffer.byteLength(namespacePath) > MAX_PATH_BYTES))
      throw inputError('namespacePath', namespacePath, 'the path of a network namespace, such as /run/netns/x, or null')
    checkWhole('receiveBytes', receiveBytes, MAX_BYTES)
    const channel = new Channel(addon, namespacePath ?? '', receiveBytes, protocol === 'route')
    await channel.#wait(OPENING, (errno, step) => unusable(namespacePath, `could not ${step}: ${errno}`))
    return channel
  }

  private constructor(addon: GenetlinkAddon, namespacePath: string, receiveBytes: number, isRoute: boolean) {
    this.#addon = addon
    this.#number = addon.open(namespacePath, receiveBytes, (...news) => this.#hear(...news), isRoute)
  }

  async families(call: GenetlinkCall = {}): Promise<GenetlinkFamily[]> {
    const messages = await this.dump(CONTROLLER, GET_FAMILY, EMPTY, call)
    return messages.map(decodeFamily).filter((family) => family !== null)
  }

  async family(name: string, call: GenetlinkCall = {}): Promise<GenetlinkFamily> {
    checkName('name', name, FAMILY_NAME_BYTES)
    const missing = new MeshBoxError('unavailable', `this kernel does not have the generic netlink family ${name} now; its module may not be loaded`, { code: 'genetlink-no-family', value: name })
    const messages = await this.request(CONTROLLER, GET_FAMILY, textAttribute(FAMILY_NAME, name), call).catch((error: unknown) => {
      throw error instanceof GenetlinkRefused && error.errno === 'ENOENT' ? missing : error
    })
    const [first] = messages
    const family = first === undefined ? null : decodeFamily(first)
    if (family === null) throw missing
    return family
  }

  async request(family: GenetlinkFamily, command: number, attributes: Uint8Array, call: GenetlinkCall = {}): Promise<GenetlinkMessage[]> {
    return messagesOf(await this.#ask(false, family, command, attributes, call))
  }

  async dump(family: GenetlinkFamily, command: number, attributes: Uint8Array, call: GenetlinkCall = {}): Promise<GenetlinkMessage[]> {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const answer = await this.#ask(true, family, command, attributes, call)
      if (answer.value === 0) return messagesOf(answer)
    }
    throw new MeshBoxError('unavailable', `what ${family.name} lists (command ${command}) changed under each of ${DUMP_ATTEMPTS} looks; try again`, { code: 'genetlink-dump-unsteady' })
  }

  async interfaceIndex(name: string, call: GenetlinkCall = {}): Promise<number> {
    checkName('interface', name, INTERFACE_NAME_BYTES)
    const ticket = this.#ticket()
    this.#checkOpen(this.#addon.interfaceIndex(this.#number, ticket, name))
    const missing = new MeshBoxError('not-found', `there is no interface ${name}`, { code: 'no-interface', field: 'interface', value: name, allowed: 'the name of an interface of this network namespace' })
    const refused = (errno: string): MeshBoxError => (errno === 'ENODEV' ? missing : new GenetlinkRefused(`to look for the interface ${name}`, errno, ''))
    return (await this.#wait(ticket, refused, call.signal)).value
  }

  async watch(family: GenetlinkFamily, group: string, watcher: GenetlinkWatcher): Promise<() => void> {
    const number = family.groups.get(group)
    if (number === undefined)
      throw new MeshBoxError('unavailable', `the family ${family.name} of this kernel has no group ${group}; it has: ${[...family.groups.keys()].join(', ') || 'none'}`, { code: 'genetlink-no-group', value: group })
    const watch: Watch = { family: family.id, group: number, watcher }
    // From here on it counts for the group, so that the end of another watch does not leave the group meanwhile.
    this.#watches.add(watch)
    try {
      await this.#setMembership(number, true)
    } catch (error) {
      this.#forget(watch)
      throw error
    }
    return () => this.#forget(watch)
  }

  close(): void {
    this.#end(closedError('it was closed'))
  }

  async #ask(isDump: boolean, family: GenetlinkFamily, command: number, attributes: Uint8Array, { signal, answerBytes = DEFAULT_GENETLINK_ANSWER_BYTES }: GenetlinkCall): Promise<Answer> {
    checkWhole('command', command, MAX_COMMAND)
    checkWhole('answerBytes', answerBytes, MAX_BYTES)
    if (attributes.length > MAX_GENETLINK_REQUEST_BYTES) throw inputError('attributes', `${attributes.length} bytes`, `at most ${MAX_GENETLINK_REQUEST_BYTES} bytes`)
    const ticket = this.#ticket()
    this.#checkOpen(this.#addon.request(this.#number, ticket, isDump, family.id, command, family.version, attributes, answerBytes))
    const refused = (errno: string, words: string): MeshBoxError =>
      errno === 'EMSGSIZE'
        ? new MeshBoxError('limit', `the answer of ${family.name} to command ${command} is longer than ${answerBytes} bytes`, { code: 'genetlink-too-long', allowed: `${answerBytes} bytes` })
        : new GenetlinkRefused(`command ${command} of ${family.name}`, errno, words)
    return this.#wait(ticket, refused, signal)
  }

  async #setMembership(group: number, isMember: boolean): Promise<void> {
    const ticket = this.#ticket()
    this.#checkOpen(this.#addon.setMembership(this.#number, ticket, group, isMember))
    await this.#wait(ticket, (errno) => new GenetlinkRefused(`multicast group ${group}`, errno, ''))
  }

  #forget(watch: Watch): void {
    if (!this.#watches.delete(watch) || this.#closed !== null) return
    const isNeeded = [...this.#watches].some((other) => other.group === watch.group)
    // A group that the kernel has taken away with its family cannot be left; nothing is to be done about it.
    if (!isNeeded) void this.#setMembership(watch.group, false).catch(() => undefined)
    this.#hold()
  }

  #ticket(): number {
    if (this.#closed !== null) throw this.#closed
    if (this.#waiting.size >= MAX_GENETLINK_WAITING)
      throw new MeshBoxError('limit', `${MAX_GENETLINK_WAITING} requests to the kernel are waiting already`, { code: 'genetlink-busy', allowed: `${MAX_GENETLINK_WAITING} at a time` })
    do this.#lastTicket = this.#lastTicket >= MAX_TICKET ? 1 : this.#lastTicket + 1
    while (this.#waiting.has(this.#lastTicket))
    return this.#lastTicket
  }

  #checkOpen(isTaken: boolean): void {
    if (!isTaken) throw this.#closed ?? closedError('its thread has ended')
  }

  #wait(ticket: number, refused: (errno: string, words: string) => MeshBoxError, signal?: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#take(ticket)
        this.#addon.cancel(this.#number, ticket)
        reject(new MeshBoxError('unavailable', 'the kernel was not waited for any longer', { code: 'genetlink-given-up', cause: signal?.reason }))
      }
      const settle = (): void => signal?.removeEventListener('abort', giveUp)
      this.#waiting.set(ticket, {
        resolve: (answer) => (settle(), resolve(answer)),
        refuse: (errno, words) => (settle(), reject(refused(errno, words))),
        reject: (error) => (settle(), reject(error)),
      })
      this.#hold()
      signal?.addEventListener('abort', giveUp, { once: true })
      if (signal?.aborted === true) giveUp()
    })
  }

  #take(ticket: number): Waiting | undefined {
    const waiting = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    this.#hold()
    return waiting
  }

  #hear(news: number, ticket: number, error: number, text: string, value: number, bytes: Uint8Array): void {
    switch (news) {
      case NEWS.opened:
      case NEWS.done: {
        const waiting = this.#take(ticket)
        if (error === 0) waiting?.resolve({ bytes, value })
        else waiting?.refuse(errnoName(error), text)
        if (news === NEWS.opened && error !== 0) this.#end(closedError('it could not be opened'))
        return
      }
      case NEWS.event:
        for (const { type, message } of splitMessages(bytes)) for (const { watcher } of this.#watchersOf(type)) watcher.onMessage(message)
        return
      case NEWS.lost:
        for (const { watcher } of this.#watches) watcher.onLost()
        if (error !== 0) this.#end(closedError(`events cannot be read any more: ${errnoName(error)}`))
        return
      case NEWS.broken:
        this.#end(closedError(`could not ${text}: ${errnoName(error)}`))
    }
  }

  /** A copy: a watcher may end watches. */
  #watchersOf(family: number): Watch[] {
    return [...this.#watches].filter((watch) => watch.family === family)
  }

  #end(why: MeshBoxError): void {
    if (this.#closed !== null) return
    this.#closed = why
    this.#addon.close(this.#number)
    this.#watches.clear()
    for (const ticket of [...this.#waiting.keys()]) this.#take(ticket)?.reject(why)
  }

  /** Keeps the process alive as long as somebody waits for something. */
  #hold(): void {
    const isHeld = this.#waiting.size > 0 || this.#watches.size > 0
    if (isHeld === this.#isHeld) return
    this.#isHeld = isHeld
    this.#addon.hold(this.#number, isHeld)
  }
}

const messagesOf = ({ bytes }: Answer): GenetlinkMessage[] => splitMessages(bytes).map(({ message }) => message)

const unusable = (namespacePath: string | null, why: string): MeshBoxError =>
  new MeshBoxError('unavailable', `generic netlink cannot be used${namespacePath === null ? '' : ` in ${namespacePath}`}: ${why}`, { code: 'genetlink-unusable', value: namespacePath ?? '' })

const closedError = (why: string): MeshBoxError => new MeshBoxError('unavailable', `generic netlink is closed: ${why}`, { code: 'genetlink-closed' })

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))
const errnoName = (number: number): string => ERRNO_NAMES.get(number) ?? `E${number}`

function checkName(field: string, name: string, space: number): void {
  if (name === '' || name.includes('\0') || Buffer.byteLength(name) >= space) throw inputError(field, name, `1 to ${space - 1} bytes, without a zero byte`)
}

function checkWhole(field: string, value: number, highest: number): void {
  if (!Number.isInteger(value) || value < 0 || value > highest) throw inputError(field, value, `a whole number from 0 to ${highest}`)
}
