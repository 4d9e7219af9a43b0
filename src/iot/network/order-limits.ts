/** What anybody may order of a transmitter, whatever door the order came by. Own answers are made within these limits. */
import { inputError } from '../../base/index.ts'
import { PREAMBLE, dataRateOf, maxPayloadBytes, subBandAt, timeOnAirUs } from '../lorawan/index.ts'
import type { Region } from '../lorawan/index.ts'
import type { Downlink } from '../ports.ts'

/** FHDR, FPort, MIC and MHDR around the payload. */
const FRAME_BYTES = 13
const MOST_WINDOWS = 8
/** No concentrator has less in its table; what is remembered of powers that one refuses is bounded by it. */
const LEAST_DBM = -20

/** Errors: input, naming what breaks the region's limits. */
export function checkOrder({ windows }: Pick<Downlink, 'windows'>, region: Region): void {
  if (windows.length < 1 || windows.length > MOST_WINDOWS) throw inputError('windows', windows.length, `1 to ${MOST_WINDOWS}`)
  for (const { phy, modulation, frequencyHz, powerDbm, ...options } of windows) {
    if (phy.length < 1 || phy.length > 255) throw inputError('phy', `${phy.length} bytes`, '1 to 255 bytes')
    const band = subBandAt(region, frequencyHz)
    if (band === null) throw inputError('frequency', frequencyHz, `one of ${region.name}`)
    if (!(powerDbm >= LEAST_DBM && powerDbm <= band.maxEirpDbm)) throw inputError('power', powerDbm, `${LEAST_DBM} to ${band.maxEirpDbm} dBm in ${band.name}`)
    const rate = dataRateOf(region, modulation, 'down')
    if (rate === null) throw inputError('modulation', modulation.kind, `a data rate for downlinks in ${region.name}`)
    const own = region.dataRates[rate]?.modulation
    // Further from the middle it is on others' channels too, and in other sub-bands.
    if (modulation.kind === 'fsk' && own?.kind === 'fsk' && !(modulation.deviationHz >= 0 && modulation.deviationHz <= own.deviationHz)) throw inputError('deviation', modulation.deviationHz, `at most ${own.deviationHz} Hz`)
    const { least, most } = PREAMBLE[modulation.kind]
    const { preambleSymbols } = options
    if (!Number.isInteger(preambleSymbols) || preambleSymbols < least || preambleSymbols > most) throw inputError('preamble', preambleSymbols, `${least} to ${most} ${modulation.kind === 'fsk' ? 'bytes' : 'symbols'}`)
    const hasDwell = region.defaultDwell.down
    const longest = maxPayloadBytes(region, rate, 0, hasDwell) + FRAME_BYTES
    if (phy.length > longest) throw inputError('phy', `${phy.length} bytes`, `at most ${longest} bytes at this data rate`)
    if (hasDwell && region.dwellUs !== null && timeOnAirUs(modulation, phy.length, options) > region.dwellUs) throw inputError('phy', `${phy.length} bytes`, `at most ${region.dwellUs / 1_000} ms on air`)
  }
}
