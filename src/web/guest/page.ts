/** The page this script stands in. */
export function element(id: string): HTMLElement | null {
  return document.getElementById(id)
}

/** A full navigation to the page that the server named: the current address may be that of a form's answer. */
export function goHome(): void {
  location.replace(document.querySelector('main')?.getAttribute('data-home') ?? '/')
}
