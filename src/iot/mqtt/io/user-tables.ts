/** Names on our own broker, with the hashes mosquitto reads. The passwords are nowhere. */
import type { Migration, ReadTx, Tx } from '../../../store/index.ts'
import type { BrokerUser } from '../mosquitto/configuration.ts'

export const brokerUserMigrations: readonly Migration[] = [
  {
    id: 'iot-broker-001',
    sql: `
      CREATE TABLE iot_broker_user (
        name TEXT PRIMARY KEY,
        password_hash TEXT NOT NULL,
        tenant TEXT
      ) STRICT, WITHOUT ROWID;
    `,
  },
]

interface Row {
  readonly name: string
  readonly password_hash: string
  readonly tenant: string | null
}

export const brokerUserTables = {
  users: (tx: ReadTx): readonly BrokerUser[] =>
    tx.all<Row>('SELECT * FROM iot_broker_user ORDER BY name').map(({ name, password_hash: passwordHash, tenant }) => ({ name, passwordHash, may: tenant === null ? { kind: 'owner' } : { kind: 'tenant', tenant } })),
  put(tx: Tx, { name, passwordHash, may }: BrokerUser): void {
    tx.run('INSERT INTO iot_broker_user VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, tenant = excluded.tenant', name, passwordHash, may.kind === 'tenant' ? may.tenant : null)
  },
  remove: (tx: Tx, name: string): boolean => tx.run('DELETE FROM iot_broker_user WHERE name = ?', name) > 0,
  removeTenant: (tx: Tx, tenant: string): number => tx.run('DELETE FROM iot_broker_user WHERE tenant = ?', tenant),
}
