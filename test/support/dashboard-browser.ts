/** A headless Chromium for the dashboard's tests, and the few steps every one of them begins with. */
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect } from 'vitest'
import { PASSWORD } from './dashboard-app.ts'

export async function launchOwnerBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}

export interface OwnerPage {
  readonly context: BrowserContext
  readonly page: Page
  /** What the page complained about: script errors, refused resources, requests to elsewhere. */
  readonly complaints: string[]
  close(): Promise<void>
}

export interface Screen {
  readonly width: number
  readonly height: number
  readonly colorScheme?: 'light' | 'dark'
}

export async function openOwnerPage(browser: Browser, url: string, screen: Screen = { width: 1280, height: 860 }): Promise<OwnerPage> {
  const { width, height, colorScheme = 'light' } = screen
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce', acceptDownloads: true })
  const page = await context.newPage()
  const complaints: string[] = []
  const { origin } = new URL(url)
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // a refused or failed request is part of many tests; what it means is checked there
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin) complaints.push(`request to ${request.url()}`)
  })
  await page.goto(url)
  return { context, page, complaints, close: () => context.close() }
}

export async function signIn(page: Page, password = PASSWORD): Promise<void> {
  await page.getByLabel('Owner password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'Today' }).waitFor()
}

/** Opens a view through its address, as the browser's back button does. */
export async function openView(page: Page, hash: string): Promise<void> {
  await page.evaluate((next) => {
    location.hash = next
  }, hash)
}

/** `expect` again and again: a busy machine may take its time; nothing here is a measurement. */
export const soon = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 20_000 })

/** What stands at a field as the box's or the page's objection. */
export async function errorAt(page: Page, label: string): Promise<string> {
  const field = page.getByLabel(label, { exact: true })
  await soon(async () => field.getAttribute('aria-invalid')).toBe('true')
  const ids = ((await field.getAttribute('aria-describedby')) ?? '').split(' ').filter((id) => id.endsWith('-error'))
  return (await page.locator(`[id="${ids[0]}"]`).textContent()) ?? ''
}
