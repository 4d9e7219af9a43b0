/** What a method is: how many parameters it takes, and how it answers. One table per subject; `methods.ts` joins them. */
import type { Filters } from './filters.ts'
import type { Params } from './params.ts'
import type { RpcPolicy } from './policy.ts'
import type { RpcPorts } from './ports.ts'

export interface Caller {
  /** Who is limited together, e.g. an IP address. */
  readonly key: string
}

export interface Asked {
  readonly ports: RpcPorts
  readonly policy: RpcPolicy
  readonly caller: Caller
  readonly filters: Filters
}

export interface Method {
  readonly maxParams: number
  /** Errors: RpcError, or MeshBoxError of a port. */
  run(asked: Asked, params: Params): unknown
}

export type MethodTable = Readonly<Record<string, Method>>
