/** `meshbox tool lora`: what anybody needs to check us against other implementations. */
import { describe, expect, it } from 'vitest'
import { meshbox } from '../cli/console.ts'

type Answer = Record<string, unknown> & { readonly code: number }

/** One line of JSON, whatever happens. */
async function tool(line: string, stdin: string | object = ''): Promise<Answer> {
  const { code, out, err } = await meshbox(`tool lora ${line}`, { stdin: typeof stdin === 'string' ? stdin : JSON.stringify(stdin) })
  expect([err, out.split('\n').length, out.endsWith('\n')]).toEqual(['', 2, true])
  return { ...(JSON.parse(out) as Record<string, unknown>), code }
}

const PHY = '40F17DBE4900020001954378762B11FF0D'
const [NWK, APP] = ['44024241ed4ce9a68c6a8bc055233fd3', 'ec925802ae430ca77fd3dd73cb2cc588']
const ROOT = '98929b92c49edba9676d646d3b612456'
const REQUEST = '0039363463336913AA05693574323831330489C65B1304'

describe('tool lora decode', () => {
  it('shows fields without keys, and judges nothing', async () => {
    expect(await tool('decode', `${PHY}\n`)).toEqual({
      code: 0,
      ok: true,
      type: 'data',
      mType: 'UnconfirmedDataUp',
      direction: 'up',
      devAddr: '49be7df1',
      adr: false,
      adrAckReq: false,
      ack: false,
      classB: false,
      fCnt: 2,
      fCnt16: 2,
      fOpts: '',
      macCommands: [],
      macUnread: '',
      fPort: 1,
      frmPayload: '95437876',
      payload: null,
      payloadText: null,
      mic: '2b11ff0d',
      micOk: null,
      bytes: 17,
      timeOnAirUs: { SF7BW125: 51456, SF8BW125: 92672, SF9BW125: 164864, SF10BW125: 329728, SF11BW125: 659456, SF12BW125: 1318912 },
    })
  })

  it.each([
    ['options', `decode --nwkskey ${NWK} --appskey ${APP} --datr SF9BW125`, PHY],
    ['JSON', 'decode', { phy: PHY, nwkSKey: NWK, appSKey: APP, datr: 'SF9BW125' }],
    ['base64', `decode --nwkskey ${NWK} --appskey ${APP} --datr SF9BW125`, Buffer.from(PHY, 'hex').toString('base64')],
  ])('judges the MIC and opens the payload, keys by %s', async (_, line, stdin) => {
    expect(await tool(line, stdin)).toMatchObject({ code: 0, micOk: true, payload: '74657374', payloadText: 'test', timeOnAirUs: { SF9BW125: 164864 } })
  })

  it('says that a MIC is wrong, and ends with 1', async () => {
    expect(await tool(`decode --nwkskey ${APP}`, PHY)).toMatchObject({ code: 1, ok: false, micOk: false, payload: null })
    expect(await tool(`decode --nwkskey ${NWK} --fcnt ${0x1_0002}`, PHY)).toMatchObject({ code: 1, micOk: false, fCnt: 0x1_0002 })
    expect(await tool(`decode --nwkskey ${NWK} --fcnt 3`, PHY)).toMatchObject({ code: 1, error: 'bad-input', field: 'fCnt' })
  })

  it('finds the upper half of the counter', async () => {
    const frame = { type: 'data', mType: 'ConfirmedDataDown', devAddr: '01020304', fCnt: 0x0003_0005, fPort: 9, payload: 'ff00', fPending: true, nwkSKey: NWK, appSKey: APP }
    const made = await tool('encode', frame)
    expect(await tool(`decode --nwkskey ${NWK} --appskey ${APP}`, made['phy'] as string)).toMatchObject({ code: 0, mType: 'ConfirmedDataDown', fPending: true, fCnt: 0x0003_0005, fCnt16: 5, payload: 'ff00', payloadText: null })
  })

  it('reads MAC commands on port 0 and in FOpts', async () => {
    const commands = [{ name: 'LinkADRReq', dataRate: 5, txPower: 1, channelMask: 7, channelMaskControl: 0, nbTrans: 1 }, { name: 'DevStatusReq' }]
    const common = { type: 'data', mType: 'UnconfirmedDataDown', devAddr: '01020304', fCnt: 1, macCommands: commands, nwkSKey: NWK, appSKey: APP }
    for (const fPort of [0, null, 5]) {
      const made = await tool('encode', { ...common, fPort })
      expect(await tool(`decode --nwkskey ${NWK} --appskey ${APP}`, made['phy'] as string)).toMatchObject({ code: 0, micOk: true, fPort, macCommands: commands, macUnread: '' })
    }
    const sealed = await tool('encode', { ...common, fPort: 0 })
    expect(await tool(`decode --appskey ${APP}`, sealed['phy'] as string)).toMatchObject({ macCommands: null, payload: null, micOk: null })
  })

  it('reads frames of 1.1', async () => {
    const keys = { fNwkSIntKey: '01'.repeat(16), sNwkSIntKey: '02'.repeat(16), nwkSEncKey: '03'.repeat(16), appSKey: APP }
    const frame = { type: 'data', mType: 'ConfirmedDataUp', devAddr: '01020304', fCnt: 70_000, fPort: 2, payload: '61', ack: true, fOpts: '0d', confFCnt: 8, dataRate: 3, channel: 1, ...keys }
    const made = await tool('encode', frame)
    const around = { confFCnt: 8, dataRate: 3, channel: 1 }
    expect(await tool('decode', { phy: made['phy'], ...keys, ...around })).toMatchObject({ micOk: true, fCnt: 70_000, payloadText: 'a', macCommands: [{ name: 'DeviceTimeReq' }] })
    expect(await tool('decode', { phy: made['phy'], ...keys, ...around, confFCnt: 9, fCnt: 70_000 })).toMatchObject({ code: 1, micOk: false })
  })

  it('judges join requests', async () => {
    expect(await tool(`decode --appkey ${ROOT}`, REQUEST)).toMatchObject({ code: 0, type: 'join-request', joinEui: 'aa13693363343639', devEui: '3331383274356905', devNonce: 0x8904, micOk: true })
    expect(await tool('decode', REQUEST)).toMatchObject({ code: 0, micOk: null })
    expect(await tool(`decode --appkey ${NWK}`, REQUEST)).toMatchObject({ code: 1, micOk: false })
  })

  it.each([
    ['nothing', '', 'phy'],
    ['other letters', 'hello!', 'phy'],
    ['a frame that is cut off', PHY.slice(0, 20), 'phy'],
    ['another version', '41'.concat(PHY.slice(2)), 'mhdr'],
    ['JSON that is none', '{"phy"', 'json'],
    ['a field nobody knows', { phy: PHY, nwkKEy: NWK }, 'field'],
    ['a short key', { phy: PHY, nwkSKey: 'aabb' }, 'nwkSKey'],
    ['mixed keys', { phy: PHY, nwkSKey: NWK, fNwkSIntKey: NWK }, 'nwkSKey'],
    ['half of the keys', { phy: PHY, fNwkSIntKey: NWK }, 'fNwkSIntKey'],
    ['a rate', { phy: PHY, datr: 'SF7' }, 'datr'],
    ['a rate that cannot be', { phy: PHY, datr: 'SF13BW125' }, 'spreading-factor'],
  ])('names what is wrong: %s', async (_, stdin, field) => {
    const answer = await tool('decode', stdin)
    expect(answer).toMatchObject({ code: 1, ok: false, field })
    expect(JSON.stringify(answer)).not.toContain(NWK)
  })
})

describe('tool lora encode', () => {
  it('makes the frame of the published vector', async () => {
    const [rising, falling] = ['0102030405060708090a0b0c0d0e0f10', '100f0e0d0c0b0a090807060504030201']
    const frame = { type: 'data', mType: 'ConfirmedDataUp', devAddr: '01020304', fCnt: 0, fPort: 10, payload: '01020304', macCommands: [{ name: 'DevStatusAns', battery: 115, margin: 7 }], nwkSKey: rising, appSKey: falling }
    expect(await tool('encode', frame)).toEqual({ code: 0, ok: true, phy: Buffer.from('gAQDAgEDAAAGcwcK4mTU9+EX0sA=', 'base64').toString('hex'), base64: 'gAQDAgEDAAAGcwcK4mTU9+EX0sA=', bytes: 20 })
    expect(await tool('encode', { type: 'join-request', joinEui: '0101010101010101', devEui: '0202020202020202', devNonce: 771, appKey: rising })).toMatchObject({ base64: 'AAEBAQEBAQEBAgICAgICAgIDAwm5ezI=' })
    expect(await tool('encode', { type: 'proprietary', body: 'aabb' })).toMatchObject({ phy: 'e0aabb' })
  })

  const base = { type: 'data', mType: 'UnconfirmedDataUp', devAddr: '01020304', fCnt: 0, nwkSKey: NWK }
  it.each<[string, object, string]>([
    ['no key', { ...base, nwkSKey: undefined }, 'nwkSKey'],
    ['no key for the payload', { ...base, fPort: 1, payload: 'aa' }, 'appSKey'],
    ['a type', { ...base, type: 'beacon' }, 'type'],
    ['a message type', { ...base, mType: 'DataUp' }, 'mType'],
    ['an address', { ...base, devAddr: '0102' }, 'devAddr'],
    ['a counter', { ...base, fCnt: -1 }, 'fCnt'],
    ['a payload without port', { ...base, payload: 'aa', appSKey: APP }, 'fport'],
    ['too much', { ...base, fPort: 1, appSKey: APP, payload: 'aa'.repeat(243) }, 'payload'],
    ['both forms of MAC commands', { ...base, fOpts: '02', macCommands: [{ name: 'LinkCheckReq' }] }, 'fOpts'],
    ['a command of the other direction', { ...base, macCommands: [{ name: 'DevStatusReq' }] }, 'mac-command'],
    ['no list', { ...base, macCommands: 'LinkCheckReq' }, 'macCommands'],
  ])('names what is wrong: %s', async (_, frame, field) => {
    expect(await tool('encode', frame)).toMatchObject({ code: 1, ok: false, field })
  })
})

describe('tool lora join', () => {
  const join = { request: REQUEST, appKey: ROOT, joinNonce: 0x376338, netId: 'aabbcc', devAddr: '01020304' }

  it('judges the request, answers it, and gives both sides the same keys', async () => {
    const answer = await tool('join', { ...join, rx2DataRate: 3, cfList: [867_100_000, 867_300_000] })
    expect(answer).toMatchObject({ code: 0, micOk: true, devNonce: 0x8904, accept: { rxDelaySeconds: 1, rx2DataRate: 3, netId: 'aabbcc', devAddr: '01020304' } })
    const phy = (answer['accept'] as { phy: string }).phy
    expect(phy).toHaveLength(66)
    expect(await tool('decode', { phy, appKey: ROOT, devNonce: 0x8904 })).toMatchObject({
      code: 0,
      type: 'join-accept',
      micOk: true,
      joinNonce: 0x376338,
      cfList: { kind: 'frequencies', frequenciesHz: [867_100_000, 867_300_000, 0, 0, 0] },
      keys: answer['keys'],
    })
  })

  it('derives the keys of the published vector', async () => {
    const request = (await tool('encode', { type: 'join-request', joinEui: '0'.repeat(16), devEui: '0'.repeat(16), devNonce: 0xf18e, appKey: ROOT }))['phy']
    expect(await tool('join', { ...join, request })).toMatchObject({ keys: { nwkSKey: '4e3d6e6afbcc67af2ba3c8e8ec4acf4b', appSKey: '610897aa6f1460623443b527d3ac6a9d' } })
  })

  it('joins by 1.1 with two root keys', async () => {
    const nwkKey = NWK
    const request = (await tool('encode', { type: 'join-request', joinEui: '0000001223224242', devEui: '0102030405060708', devNonce: 7, nwkKey }))['phy']
    const answer = await tool('join', { ...join, request, nwkKey })
    expect(answer).toMatchObject({ code: 0, micOk: true, accept: { optNeg: true } })
    const given = { phy: (answer['accept'] as { phy: string }).phy, nwkKey, appKey: ROOT, devNonce: 7, joinEui: '0000001223224242' }
    expect(await tool('decode', { ...given, devEui: '0102030405060708' })).toMatchObject({ code: 0, micOk: true, keys: answer['keys'] })
    expect(await tool('decode', { ...given, devEui: '0102030405060709' })).toMatchObject({ code: 1, micOk: false })
    expect(await tool('decode', given)).toMatchObject({ code: 0, micOk: null })
  })

  it('gives no answer to a request somebody else made', async () => {
    const answer = await tool('join', { ...join, appKey: NWK })
    expect(answer).toMatchObject({ code: 1, ok: false, micOk: false })
    expect(answer).not.toHaveProperty('keys')
  })

  it('names what is wrong', async () => {
    expect(await tool('join', { ...join, request: PHY })).toMatchObject({ code: 1, field: 'request' })
    expect(await tool('join', { ...join, cfList: [1], channelMasks: [1] })).toMatchObject({ field: 'channelMasks' })
    expect(await tool('join', { ...join, appKey: undefined })).toMatchObject({ field: 'appKey' })
    expect(await tool('join', '[]')).toMatchObject({ field: 'json' })
  })
})
