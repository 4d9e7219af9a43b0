/** A page in a real Chromium with a wallet in it sends a token over the box's JSON-RPC; a page of another site cannot ask it anything. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { JsonRpcProvider, Network, Wallet } from 'ethers'
import type { TransactionRequest } from 'ethers'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { toHex } from '../../src/base/index.ts'
import { launchOwnerBrowser } from '../support/dashboard-browser.ts'
import { person } from '../unit/spectrum/village.ts'
import { CHAIN_ID, OWNER, TOKEN, openVillage } from '../unit/spectrum-rpc/open-village.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,"></head><body><button id="pay">Pay</button><p id="out"></p><script src="/page.js"></script></body></html>'
const BEN = person(22).address

let browser: Browser
let script = ''
beforeAll(async () => {
  const built = await build({ absWorkingDir: ROOT, entryPoints: ['test/support/wallet-page.ts'], bundle: true, format: 'iife', target: 'es2022', tsconfigRaw: {}, write: false })
  script = built.outputFiles[0]?.text ?? ''
  browser = await launchOwnerBrowser()
})
afterAll(() => browser.close())

async function servePage(): Promise<string> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8' }).end(isScript ? script : PAGE)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What a wallet puts into every page: it asks the box over the browser's own network, and signs outside the page. */
const INJECTED = (url: string): string => `
  const rpc = async (method, params = []) => {
    const answer = await (await fetch(${JSON.stringify(url)}, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) })).json()
    if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error)
    return answer.result
  }
  window.ethereum = {
    async request({ method, params = [] }) {
      if (method === 'eth_accounts' || method === 'eth_requestAccounts') return [${JSON.stringify(OWNER.address)}]
      if (method === 'eth_sendTransaction') return rpc('eth_sendRawTransaction', [await window.walletSigns(params[0])])
      return rpc(method, params)
    },
  }`

async function payOn(pageUrl: string, rpcUrl: string): Promise<string> {
  const provider = new JsonRpcProvider(rpcUrl, Network.from(CHAIN_ID), { staticNetwork: true })
  onTestFinished(() => provider.destroy())
  const wallet = new Wallet(`0x${toHex(OWNER.key)}`, provider)
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  const page = await context.newPage()
  await page.exposeFunction('walletSigns', async ({ from, to, data, gas, value }: TransactionRequest & { gas?: string }) =>
    wallet.signTransaction(await wallet.populateTransaction({ from: from ?? null, to: to ?? null, data: data ?? null, value: value ?? null, ...(gas === undefined ? {} : { gasLimit: gas }) })),
  )
  await page.addInitScript(INJECTED(rpcUrl))
  await page.goto(`${pageUrl}/?token=${TOKEN}&to=${BEN}&units=7000`)
  await page.getByRole('button', { name: 'Pay' }).click()
  const out = page.locator('#out')
  await expect.poll(() => out.innerText(), { timeout: 60_000 }).not.toBe('')
  return out.innerText()
}

it('a page with a wallet sends a token and sees it arrive', async () => {
  const pageUrl = await servePage()
  const { url } = await openVillage([pageUrl])
  expect(await payOn(pageUrl, url)).toMatch(/^status 1 in block \d+, now 7000$/)
})

it('a page of another site gets nothing from the box', async () => {
  const pageUrl = await servePage()
  const { url, box } = await openVillage(['http://shop.example'])
  expect(await payOn(pageUrl, url)).toMatch(/^failed: .*/)
  expect(box.pool.stats().transactions).toBe(0)
})
