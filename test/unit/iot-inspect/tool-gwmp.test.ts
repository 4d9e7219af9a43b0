/** `meshbox tool gwmp decode`. */
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../../src/base/index.ts'
import { meshbox } from '../cli/console.ts'

const GATEWAY = '0016c001ff10a235'

async function tool(hex: string): Promise<Record<string, unknown> & { readonly code: number }> {
  const { code, out, err } = await meshbox('tool gwmp decode', { stdin: hex })
  expect([err, out.split('\n').length]).toEqual(['', 2])
  return { ...(JSON.parse(out) as Record<string, unknown>), code }
}

const datagram = (kind: string, json: object | null, gateway = GATEWAY): string => `021234${kind}${gateway}${json === null ? '' : toHex(utf8(JSON.stringify(json)))}`
const PACKET = { tmst: 7, chan: 2, rfch: 1, freq: 868.1, stat: 1, modu: 'LORA', datr: 'SF7BW125', codr: '4/5', rssi: -57, lsnr: 9, size: 17, data: 'QPF9vkkAAgABlUN4disR/w0=' }

describe('tool gwmp decode', () => {
  it('shows packets, their frames, and the acknowledgement', async () => {
    expect(await tool(datagram('00', { rxpk: [PACKET], stat: { rxnb: 1, rxok: 1 } }).replace(/(.{60})/g, '$1\n'))).toMatchObject({
      code: 0,
      ok: true,
      version: 2,
      kind: 'push-data',
      token: '1234',
      gateway: GATEWAY,
      ack: '02123401',
      packets: [{ frequencyHz: 868_100_000, phy: '40f17dbe4900020001954378762b11ff0d', frame: { type: 'data', direction: 'up', devAddr: '49be7df1', fCnt16: 2, fPort: 1 }, timeOnAirUs: 51_456, crc: 'right', copies: [{ tmstUs: 7, rssiDbm: -57, snrDb: 9, channel: 2, radio: 1 }] }],
      refused: [],
      stats: { received: 1 },
    })
  })

  it('says which packet cannot be read, and shows the others', async () => {
    const answer = await tool(datagram('00', { rxpk: [{ ...PACKET, freq: 'x' }, PACKET, { ...PACKET, data: 'AAAA', codr: 'OFF' }] }))
    expect(answer).toMatchObject({ code: 1, ok: false, refused: [{ index: 0, field: 'freq' }], packets: [{ frequencyHz: 868_100_000 }, { frame: { type: null }, timeOnAirUs: null }] })
  })

  it('shows what is to be sent, and what became of it', async () => {
    const txpk = { imme: false, tmst: 1_000_007, freq: 869.525, rfch: 0, powe: 27, modu: 'LORA', datr: 'SF9BW125', codr: '4/5', ipol: true, ncrc: true, size: 13, data: 'YPF9vkkgAgAB+dZdJw==' }
    expect(await tool(datagram('03', { txpk }, ''))).toMatchObject({ code: 0, kind: 'pull-resp', gateway: null, ack: null, downlink: { timing: { kind: 'counter', tmstUs: 1_000_007 }, frequencyHz: 869_525_000, powerDbm: 27, frame: { type: 'data', direction: 'down' }, timeOnAirUs: 144_384 } })
    expect(await tool(datagram('05', null))).toMatchObject({ code: 0, kind: 'tx-ack', status: 'OK' })
    expect(await tool(datagram('05', { txpk_ack: { error: 'TOO_EARLY' } }))).toMatchObject({ status: 'TOO_EARLY' })
    expect(await tool(datagram('02', null))).toMatchObject({ kind: 'pull-data', ack: '02123404' })
  })

  it.each([['', 'datagram'], ['xyz', 'datagram'], ['0212', 'datagram'], ['05123400', 'datagram'], [`02123400${GATEWAY}7b`, 'json']])('names what is wrong: %s', async (hex, field) => {
    expect(await tool(hex)).toMatchObject({ code: 1, ok: false, error: 'bad-input', field })
  })
})
