/** Line icons on a 24 px grid. They only decorate: the word next to them, or the button's label, says it. */
const PATHS = {
  home: 'M4 11.5 12 4.5l8 7M6.2 10v9.5h11.6V10M10 19.5v-5h4v5',
  guests: 'M4.5 9.6a11 11 0 0 1 15 0M7.4 12.9a6.8 6.8 0 0 1 9.2 0M10.2 16.1a2.7 2.7 0 0 1 3.6 0M12 19.2v.01',
  ticket: 'M4 7.5h16v3.2a1.8 1.8 0 0 0 0 3.6v3.2H4v-3.2a1.8 1.8 0 0 0 0-3.6zM14 7.5v2M14 11.2v1.6M14 14.8v2.7',
  tag: 'M4.5 12.6V5.5a1 1 0 0 1 1-1h7.1l7 7a1.5 1.5 0 0 1 0 2.1l-6 6a1.5 1.5 0 0 1-2.1 0zM8.6 8.6v.01',
  more: 'M5.5 12h.01M12 12h.01M18.5 12h.01',
  health: 'M3.5 12.5h4l2.2-6 4.2 11.5 2.4-5.5h4.2',
  chain: 'M9.8 14.2l4.4-4.4M8.2 11.4 6 13.6a3.1 3.1 0 0 0 4.4 4.4l2.2-2.2M15.8 12.6l2.2-2.2A3.1 3.1 0 0 0 13.6 6l-2.2 2.2',
  channels: 'M4.5 8.5h14l-3.4-3.4M19.5 15.5h-14l3.4 3.4',
  antenna: 'M12 11.5v8M8.6 19.5h6.8M12 9.2v.01M8.7 12.6a4.8 4.8 0 0 1 0-6.8M15.3 12.6a4.8 4.8 0 0 0 0-6.8M6 15.2a8.5 8.5 0 0 1 0-12M18 15.2a8.5 8.5 0 0 0 0-12',
  share: 'M11 5.2a7.7 7.7 0 1 0 7.8 7.8H11zM14.5 4.2a6.4 6.4 0 0 1 5.3 5.3h-5.3z',
  mesh: 'M12 3.8v.01M5 18.5v.01M19 18.5v.01M12 6.2a2.3 2.3 0 1 1 0-4.6 2.3 2.3 0 0 1 0 4.6zM5 20.8a2.3 2.3 0 1 1 0-4.6 2.3 2.3 0 0 1 0 4.6zM19 20.8a2.3 2.3 0 1 1 0-4.6 2.3 2.3 0 0 1 0 4.6zM11 6.1 6.1 16.4M13 6.1l4.9 10.3M7.4 18.5h9.2',
  settings: 'M5 7.5h8M17 7.5h2M5 16.5h2M11 16.5h8M15 5.5v4M9 14.5v4',
  plus: 'M12 5.5v13M5.5 12h13',
  print: 'M7 9V4.5h10V9M7 17H4.5V9h15v8H17M7.5 14h9v5.5h-9z',
  pause: 'M9 6.5v11M15 6.5v11',
  play: 'M8 5.8v12.4l10-6.2z',
  clock: 'M12 4.2a7.8 7.8 0 1 1 0 15.6 7.8 7.8 0 0 1 0-15.6zM12 8v4.3l2.8 1.8',
  back: 'M9.5 6 4 11.5 9.5 17M4.5 11.5H15a5 5 0 0 1 0 10',
  stop: 'M7 7h10v10H7z',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  alert: 'M12 4 21 19.5H3zM12 10v4M12 16.8v.01',
  info: 'M12 4.2a7.8 7.8 0 1 1 0 15.6 7.8 7.8 0 0 1 0-15.6zM12 11.2v5M12 8v.01',
  close: 'm6.5 6.5 11 11M17.5 6.5l-11 11',
  right: 'm9.5 6 6 6-6 6',
  left: 'm14.5 6-6 6 6 6',
  down: 'm6.5 9.5 5.5 5.5 5.5-5.5',
  up: 'm6.5 14.5 5.5-5.5 5.5 5.5',
  download: 'M12 4.5v10.5M7.5 10.7 12 15.2l4.5-4.5M5 19.5h14',
  search: 'M10.8 4.8a6 6 0 1 1 0 12 6 6 0 0 1 0-12zM15.2 15.2l4.3 4.3',
  leave: 'M14 4.5H5.5v15H14M10 12h10M16.5 8.5 20 12l-3.5 3.5',
  trash: 'M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7',
  key: 'M8.2 11.3a3.7 3.7 0 1 1 0 7.4 3.7 3.7 0 0 1 0-7.4zM11 12.3l8-7.8M16.5 7l2.5 2.5',
  phone: 'M7.5 3.5h9v17h-9zM11 17.5h2',
  table: 'M4.5 5.5h15v13h-15zM4.5 10h15M4.5 14.3h15M10.5 10v8.5',
  speed: 'M4.5 16.5a7.7 7.7 0 1 1 15 0M12 15.5l3.5-5',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={name === 'more' ? 3 : 1.75}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}

/** The mark: a box that sends, and a small sun for the warm side of the counter. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 28 28" aria-hidden="true" focusable="false">
      <rect x="1" y="1" width="26" height="26" rx="8" fill="currentColor" />
      <g fill="none" stroke="var(--on-brand)" stroke-width="2.2" stroke-linecap="round">
        <path d="M6.8 12.6a10.2 10.2 0 0 1 14.4 0" />
        <path d="M10 16.2a5.7 5.7 0 0 1 8 0" />
      </g>
      <circle class="brand-sun" cx="14" cy="20.3" r="2.3" />
    </svg>
  )
}
