import type { Log } from '../base/index.ts'
import type { Migration, Store } from './types.ts'

export interface StoreOptions {
  readonly path: string
  readonly migrations: readonly Migration[]
  readonly log: Log
  readonly nativeBinding?: string
}

export declare function openStore(options: StoreOptions): Store
