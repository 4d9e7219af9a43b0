/** Light, dark, or as the device has it. Kept on this device only. */
import { cell } from './cell.ts'

export type Look = 'auto' | 'light' | 'dark'
const KEY = 'meshbox-look'
const darkDevice = window.matchMedia('(prefers-color-scheme: dark)')

export const look = cell<Look>(storedLook())

export function chooseLook(next: Look): void {
  look.set(next)
  try {
    localStorage.setItem(KEY, next)
  } catch {
    return // storage is switched off: the choice lasts until the page is closed
  }
}

/** Sets the look of the page now and whenever the device or the owner changes it. */
export function followLook(): void {
  const apply = (): void => {
    const dark = look.get() === 'dark' || (look.get() === 'auto' && darkDevice.matches)
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light'
  }
  apply()
  look.watch(apply)
  darkDevice.addEventListener('change', apply)
}

function storedLook(): Look {
  try {
    const stored = localStorage.getItem(KEY)
    return stored === 'light' || stored === 'dark' ? stored : 'auto'
  } catch {
    return 'auto'
  }
}
