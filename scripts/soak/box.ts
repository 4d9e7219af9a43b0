/** The soak's box: the bundled service in a namespace with a real gate, a thousand paid sessions and a chain that it seals. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChainPageView, EntriesJson, SessionsJson, StatusJson } from '../../src/owner/index.ts'
import { startBoxWorker } from '../../test/bench/box-worker.ts'
import { Town } from '../../test/support/netns.ts'
import { boxFiles, socketRequest, startService, type Service } from '../../test/support/town-services.ts'
import { giveChain } from '../lab/chain.ts'
import { writeConfig } from '../lab/first-config.ts'

const PAGE = 500

export class SoakBox {
  readonly #town: Town
  readonly #service: Service

  private constructor(town: Town, service: Service) {
    this.#town = town
    this.#service = service
  }

  static async start(dir: string, sessions: number, env: NodeJS.ProcessEnv): Promise<SoakBox> {
    const town = await Town.create({ guests: 0, addresses: 'static' })
    try {
      mkdirSync(join(dir, 'box'), { recursive: true })
      const files = boxFiles(join(dir, 'box'))
      writeConfig(files, { ownerAddress: '127.0.0.1', gate: 'nft' })
      const filling = startBoxWorker(town.box, 'fill', { text: readFileSync(files.config, 'utf8'), sessions })
      await filling.next()
      await filling.stop()
      await giveChain(town.box, files, files.dir, '127.0.0.1', null)
      return new SoakBox(town, await startService(town.box, files, env))
    } catch (error) {
      await town.destroy()
      throw error
    }
  }

  get pid(): number {
    return this.#service.process.pid ?? 0
  }

  async head(): Promise<number> {
    return (await this.#service.cliJson<ChainPageView>('chain', 'status')).head.number
  }

  async running(): Promise<number> {
    // Not by the command line, whose exit code tells of alarms too.
    const { status, body } = await socketRequest(this.#service.files.socket, 'GET', '/api/status')
    if (status !== 200) throw new Error(`/api/status: ${status} ${body}`)
    return (JSON.parse(body) as StatusJson).sessions.active
  }

  /** What of the book does not fit: entries that do not add up, and sessions' money against the book's, in units. */
  async missing(): Promise<{ readonly unbalanced: number; readonly units: bigint }> {
    let [unbalanced, booked, paid] = [0, 0n, 0n]
    for (let after: number | null = 0; after !== null; ) {
      const page: EntriesJson = await this.#service.cliJson<EntriesJson>('earnings', 'entries', '--limit', String(PAGE), '--after', String(after))
      for (const { source, kind, postings } of page.entries) {
        if (postings.reduce((sum, { amount }) => sum + BigInt(amount.units), 0n) !== 0n) unbalanced++
        const size = postings.reduce((sum, { amount }) => sum + (BigInt(amount.units) > 0n ? BigInt(amount.units) : 0n), 0n)
        if (source === 'hotspot:voucher') booked += kind === 'reverse' ? -size : size
      }
      after = page.nextAfterId
    }
    for (let before: string | null = ''; before !== null; ) {
      const page: SessionsJson = await this.#service.cliJson<SessionsJson>('sessions', 'list', '--all', '--limit', String(PAGE), ...(before === '' ? [] : ['--before', before]))
      for (const one of page.sessions) paid += BigInt(one.paid.units) - BigInt(one.refunded.units)
      before = page.nextBeforeId
    }
    return { unbalanced, units: paid - booked }
  }

  async stop(): Promise<void> {
    await this.#service.stop()
    await this.#town.destroy()
  }
}
