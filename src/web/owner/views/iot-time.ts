/** When something was, as the box knows it: its clock may not have been set, and it may have been started since. */
import type { IotTimeJson } from '../../../owner/api.ts'
import { showDateTime, showDuration } from '../format.ts'
import * as S from './iot-strings.ts'

const DAY_SECONDS = 86_400

/** 'just now', '3 min ago', '21 Nov, 18:04', 'before the last start'. */
export function whenText({ wallMs, agoSeconds }: IotTimeJson): string {
  if (agoSeconds !== null && agoSeconds < 5) return S.now
  if (agoSeconds !== null && (agoSeconds < DAY_SECONDS || wallMs === null)) return S.ago(showDuration(agoSeconds))
  return wallMs === null ? S.before : showDateTime(wallMs)
}

/** Milliseconds on air: '0 ms', '412 ms', '3.4 s', '2 min'. */
export function showAir(ms: number): string {
  if (ms < 1_000) return `${Math.floor(ms)}\u00a0ms`
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1).replace(/\.0$/, '')}\u00a0s` : showDuration(ms / 1_000)
}
