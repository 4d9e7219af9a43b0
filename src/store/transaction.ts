/**
 * What a turn's body, or a reader, holds while it runs. It ends with the body: a `tx` that was kept throws.
 */
import { MeshBoxError, asError } from '../base/index.ts'
import type { Statement, TurnConnection } from './connection.ts'
import { isMachineFault, ioError, translateSqliteError } from './sqlite-error.ts'
import type { ReadTx, SqlValue, Tx } from './types.ts'

/** Statements that would break the group a turn is part of, or reach beyond the database file. */
const FORBIDDEN = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|ATTACH|DETACH|PRAGMA|VACUUM)\b/i

export class OpenTx implements Tx {
  readonly #connection: TurnConnection
  readonly #path: string
  #ended = false
  #wrote = false
  #fault: MeshBoxError | null = null
  readonly #forget: (() => void)[] = []

  constructor(connection: TurnConnection, path: string) {
    this.#connection = connection
    this.#path = path
  }

  /** A machine fault that a statement of this turn met, whatever the body made of it. */
  get fault(): MeshBoxError | null {
    return this.#fault
  }

  /** Whether a statement ran that may change the database. */
  get wrote(): boolean {
    return this.#wrote
  }

  end(): void {
    this.#ended = true
  }

  /** Nothing of it remains. */
  undo(): void {
    for (const forget of this.#forget) forget()
  }

  onUndone(forget: () => void): void {
    this.#forget.push(forget)
  }

  get<Row>(sql: string, ...params: readonly SqlValue[]): Row | undefined {
    try {
      return this.#prepared(sql).get(...params) as Row | undefined
    } catch (thrown) {
      throw this.#failed(thrown)
    }
  }

  all<Row>(sql: string, ...params: readonly SqlValue[]): Row[] {
    try {
      return this.#prepared(sql).all(...params) as Row[]
    } catch (thrown) {
      throw this.#failed(thrown)
    }
  }

  run(sql: string, ...params: readonly SqlValue[]): number {
    try {
      return this.#prepared(sql).run(...params).changes
    } catch (thrown) {
      throw this.#failed(thrown)
    }
  }

  insert(sql: string, ...params: readonly SqlValue[]): number {
    try {
      return Number(this.#prepared(sql).run(...params).lastInsertRowid)
    } catch (thrown) {
      throw this.#failed(thrown)
    }
  }

  #prepared(sql: string): Statement {
    if (this.#ended) throw endedError()
    if (this.#fault) throw this.#fault
    const statement = prepareAllowed(this.#connection, sql)
    if (!statement.readonly) this.#wrote = true
    return statement
  }

  #failed(thrown: unknown): Error {
    if (this.#ended || this.#fault !== null) return asError(thrown)
    const error = translateSqliteError(thrown, this.#path)
    if (isMachineFault(error)) this.#fault = error
    // SQLite ends the whole transaction by itself after some errors. Going on would write outside of it.
    else if (!this.#connection.inTransaction) this.#fault = ioError(this.#path, `the transaction was ended by: ${error.message}`, error)
    return this.#fault ?? error
  }
}

export class OpenReadTx implements ReadTx {
  readonly #connection: TurnConnection
  readonly #path: string
  #ended = false

  constructor(connection: TurnConnection, path: string) {
    this.#connection = connection
    this.#path = path
  }

  end(): void {
    this.#ended = true
  }

  get<Row>(sql: string, ...params: readonly SqlValue[]): Row | undefined {
    try {
      return this.#prepared(sql).get(...params) as Row | undefined
    } catch (thrown) {
      throw this.#ended ? thrown : translateSqliteError(thrown, this.#path)
    }
  }

  all<Row>(sql: string, ...params: readonly SqlValue[]): Row[] {
    try {
      return this.#prepared(sql).all(...params) as Row[]
    } catch (thrown) {
      throw this.#ended ? thrown : translateSqliteError(thrown, this.#path)
    }
  }

  #prepared(sql: string): Statement {
    if (this.#ended) throw endedError()
    const statement = prepareAllowed(this.#connection, sql)
    if (!statement.readonly) throw new MeshBoxError('internal', 'a reader tried to write; writes belong into a turn', { code: 'store-read-only' })
    return statement
  }
}

/** Looked at once: the same few texts come with every turn. */
const MOST_ALLOWED = 512
const ALLOWED = new Set<string>()

function prepareAllowed(connection: TurnConnection, sql: string): Statement {
  if (!ALLOWED.has(sql)) {
    if (FORBIDDEN.test(sql)) throw new MeshBoxError('internal', 'transactions, PRAGMA, ATTACH and VACUUM are the store\'s own business', { code: 'store-sql', value: sql })
    if (ALLOWED.size >= MOST_ALLOWED) ALLOWED.clear()
    ALLOWED.add(sql)
  }
  return connection.prepare(sql)
}

function endedError(): MeshBoxError {
  return new MeshBoxError('internal', 'a transaction was used after its body had returned', { code: 'tx-ended' })
}
