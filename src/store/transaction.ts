/**
 * What a turn's body, or a reader, holds while it runs. It ends with the body: a `tx` that was kept throws.
 */
import { MeshBoxError } from '../base/index.ts'
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

  get<Row>(sql: string, ...params: readonly SqlValue[]): Row | undefined {
    return this.#use(sql, (statement) => statement.get(...params) as Row | undefined)
  }

  all<Row>(sql: string, ...params: readonly SqlValue[]): Row[] {
    return this.#use(sql, (statement) => statement.all(...params) as Row[])
  }

  run(sql: string, ...params: readonly SqlValue[]): number {
    return this.#use(sql, (statement) => statement.run(...params).changes)
  }

  #use<T>(sql: string, action: (statement: Statement) => T): T {
    if (this.#ended) throw endedError()
    if (this.#fault) throw this.#fault
    try {
      const statement = prepareAllowed(this.#connection, sql)
      if (!statement.readonly) this.#wrote = true
      return action(statement)
    } catch (thrown) {
      const error = translateSqliteError(thrown, this.#path)
      if (isMachineFault(error)) this.#fault = error
      // SQLite ends the whole transaction by itself after some errors. Going on would write outside of it.
      else if (!this.#connection.inTransaction) this.#fault = ioError(this.#path, `the transaction was ended by: ${error.message}`, error)
      throw this.#fault ?? error
    }
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
    return this.#use(sql, (statement) => statement.get(...params) as Row | undefined)
  }

  all<Row>(sql: string, ...params: readonly SqlValue[]): Row[] {
    return this.#use(sql, (statement) => statement.all(...params) as Row[])
  }

  #use<T>(sql: string, action: (statement: Statement) => T): T {
    if (this.#ended) throw endedError()
    try {
      const statement = prepareAllowed(this.#connection, sql)
      if (!statement.readonly) throw new MeshBoxError('internal', 'a reader tried to write; writes belong into a turn', { code: 'store-read-only' })
      return action(statement)
    } catch (thrown) {
      throw translateSqliteError(thrown, this.#path)
    }
  }
}

function prepareAllowed(connection: TurnConnection, sql: string): Statement {
  if (FORBIDDEN.test(sql))
    throw new MeshBoxError('internal', 'transactions, PRAGMA, ATTACH and VACUUM are the store\'s own business', { code: 'store-sql', value: sql })
  return connection.prepare(sql)
}

function endedError(): MeshBoxError {
  return new MeshBoxError('internal', 'a transaction was used after its body had returned', { code: 'tx-ended' })
}
