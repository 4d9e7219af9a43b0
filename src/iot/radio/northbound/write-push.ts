/** Our own PUSH_DATA, for servers northbound: `rxpk` and `stat` as Semtech's forwarder writes them. Only fields that its protocol document has. */
import { utf8 } from '../../../base/index.ts'
import type { Copy, Heard, Modulation, RadioTime } from '../../ports.ts'

const MEGA = 1_000_000

/** The counter that a server answers to: of Basics Station its low 32 bits, which are microseconds too. Null: none. */
export function counterOf(time: RadioTime): number | null {
  if (time.kind === 'counter') return time.tmstUs
  return time.kind === 'station' ? Number(BigInt.asUintN(32, time.xtime)) : null
}

/** `copies`: of one gateway. A copy without a counter is written without one: it can be read and not be answered. */
export function writePush(heard: Heard, copies: readonly Copy[]): Uint8Array {
  return utf8(JSON.stringify({ rxpk: copies.map((copy) => rxpkOf(heard, copy)) }))
}

function rxpkOf({ phy, frequencyHz, modulation }: Heard, copy: Copy): object {
  const tmst = counterOf(copy.time)
  return {
    ...(tmst === null ? {} : { tmst }),
    ...(copy.utcMs === null ? {} : { time: new Date(copy.utcMs).toISOString() }),
    ...(copy.gpsTimeMs === null ? {} : { tmms: Math.floor(copy.gpsTimeMs) }),
    ...(copy.fineTimeNs === null ? {} : { ftime: copy.fineTimeNs }),
    freq: frequencyHz / MEGA,
    chan: copy.channel,
    rfch: copy.radio,
    stat: 1,
    ...upModulation(modulation),
    ...(copy.rssiDbm === null ? {} : { rssi: Math.round(copy.rssiDbm) }),
    ...(copy.snrDb === null ? {} : { lsnr: copy.snrDb }),
    size: phy.length,
    data: Buffer.from(phy).toString('base64'),
  }
}

function upModulation(modulation: Modulation): object {
  switch (modulation.kind) {
    case 'lora':
      return { modu: 'LORA', datr: `SF${modulation.spreadingFactor}BW${modulation.bandwidthHz / 1_000}`, codr: modulation.codingRate }
    case 'fsk':
      return { modu: 'FSK', datr: modulation.bitsPerSecond }
    case 'lr-fhss':
      return { modu: 'LR-FHSS', datr: `M0CW${Math.floor(modulation.widthHz / 1_000)}`, codr: modulation.codingRate, hpw: modulation.gridSteps }
  }
}

export interface OwnStat {
  readonly wallMs: number
  readonly received: number
  readonly forwarded: number
  readonly ackPercent: number
  readonly ordered: number
  readonly sent: number
}

/** No location: where the box stands is its owner's. */
export function writeStat(stat: OwnStat): Uint8Array {
  const time = `${new Date(stat.wallMs).toISOString().slice(0, 19).replace('T', ' ')} GMT`
  return utf8(JSON.stringify({ stat: { time, rxnb: stat.received, rxok: stat.received, rxfw: stat.forwarded, ackr: Math.round(stat.ackPercent * 10) / 10, dwnb: stat.ordered, txnb: stat.sent } }))
}
