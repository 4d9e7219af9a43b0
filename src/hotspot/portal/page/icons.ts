/** The few signs of the guest page, as inline SVG on a 24-unit grid. All decoration: hidden from readers. */
import { type Html, trusted } from '../html.ts'

function icon(paths: string, size = 24, extra = ''): Html {
  return trusted(
    `<svg aria-hidden="true" width="${size}" height="${size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"${extra}>${paths}</svg>`,
  )
}

const WAVES = '<path d="M2.5 9.5a14 14 0 0 1 19 0M6 13a9 9 0 0 1 12 0M9.3 16.4a4.2 4.2 0 0 1 5.4 0"/><path d="M12 20h.01"/>'

export const wifiIcon = icon(WAVES, 18)
export const globeIcon = icon('<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c5 5.5 5 12.5 0 18-5-5.5-5-12.5 0-18"/>', 18)
export const checkIcon = icon('<circle cx="12" cy="12" r="10"/><path d="m7.5 12.3 3.1 3.1 6-6.4"/>', 28)
export const pauseIcon = icon('<path d="M9 5v14M15 5v14"/>', 20)
export const playIcon = icon('<path d="M7 4.5v15l12-7.5z"/>', 20, ' class="turn"')
export const plusIcon = icon('<path d="M12 5v14M5 12h14"/>', 20)
export const devicesIcon = icon('<rect x="2.5" y="4" width="13" height="10" rx="2"/><path d="M5 18h6"/><rect x="15.5" y="9" width="6" height="11" rx="1.5"/>')
export const keyIcon = icon('<circle cx="7.5" cy="16.5" r="4"/><path d="M10.5 13.5 20 4m-4.5 4.5 3 3M18 6l2 2"/>')
export const wordsIcon = icon('<path d="M4 6h16M4 12h16M4 18h10"/>')
export const receiptIcon = icon('<path d="M6 3h12v18l-3-2-3 2-3-2-3 2z"/><path d="M9 8h6M9 12h6"/>')
export const endIcon = icon('<circle cx="12" cy="12" r="9"/><path d="m9 9 6 6m0-6-6 6"/>')
export const chevronIcon = icon('<path d="m9 5.5 6.5 6.5L9 18.5"/>', 20, ' class="go"')

/** The waves once more, large and faint, behind the venue's name. */
export const arcs: Html = trusted(
  '<div class="arcs"><svg aria-hidden="true" width="340" height="340" viewBox="0 0 100 100" fill="none" stroke="currentColor" stroke-width="6"><circle cx="50" cy="50" r="11"/><circle cx="50" cy="50" r="24"/><circle cx="50" cy="50" r="37"/></svg></div>',
)
