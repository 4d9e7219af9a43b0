/** What a route is: a method, a path with named parts, and what it does with a node. */
import type { Address, Hash } from '../../base/index.ts'
import type { Fields } from '../wire/inspect/fields.ts'
import type { PhotonApi } from './api.ts'

export type Method = 'GET' | 'PUT' | 'POST' | 'PATCH'

export interface Asked {
  /** The path's named parts. Errors: input, naming the part. */
  readonly path: Fields
  readonly query: Fields
  /** An empty object where nothing was sent. */
  readonly body: Fields
}

export interface Route {
  readonly method: Method
  /** Without `/api/N/`: `channels/:id`. */
  readonly path: string
  /** The answer's `data`; null where the original has none. Amounts are bigint, bytes are bytes. */
  answer(api: PhotonApi, asked: Asked): unknown
}

export function route(method: Method, path: string, answer: Route['answer']): Route {
  return { method, path, answer }
}

/** Clients send '' for what they leave out. */
export function textOrNull(from: Fields): string | null {
  if (from.isAbsent) return null
  const text = from.text()
  return text === '' ? null : text
}

export function hashOrNull(from: Fields): Hash | null {
  return isEmpty(from) ? null : from.hash()
}

export function addressOrNull(from: Fields): Address | null {
  return isEmpty(from) ? null : from.address()
}

export function flagOr(from: Fields, otherwise: boolean): boolean {
  return from.isAbsent ? otherwise : from.flag()
}

function isEmpty(from: Fields): boolean {
  return from.isAbsent || from.value === ''
}
