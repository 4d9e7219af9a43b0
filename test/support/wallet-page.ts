/** A page of somebody's shop: it asks the wallet in the browser to send a token, and shows in which block it came. */
import { BrowserProvider, Contract } from 'ethers'
import type { Eip1193Provider } from 'ethers'

declare global {
  interface Window {
    ethereum?: Eip1193Provider
  }
}

const say = (text: string): void => {
  const out = document.getElementById('out')
  if (out) out.textContent = text
}

async function pay(): Promise<void> {
  const { searchParams } = new URL(location.href)
  const [token = '', to = '', units = ''] = ['token', 'to', 'units'].map((name) => searchParams.get(name) ?? '')
  if (window.ethereum === undefined) return say('no wallet')
  const provider = new BrowserProvider(window.ethereum)
  provider.pollingInterval = 50
  const signer = await provider.getSigner()
  const contract = new Contract(token, ['function transfer(address to, uint256 amount) returns (bool)', 'function balanceOf(address) view returns (uint256)'], signer)
  const sent = await contract.getFunction('transfer').send(to, BigInt(units))
  const receipt = await sent.wait()
  say(`status ${String(receipt?.status)} in block ${String(receipt?.blockNumber)}, now ${String(await contract.getFunction('balanceOf')(to))}`)
}

document.getElementById('pay')?.addEventListener('click', () => {
  pay().catch((thrown: unknown) => say(`failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`))
})
