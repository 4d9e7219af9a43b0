import { describe, expect, it } from 'vitest'
import { chainStatusText } from '../../../src/cli/commands/chain-text.ts'
import { CHAIN_VIEWS } from '../../support/chain-views.ts'

describe('chain status on a terminal', () => {
  it('tells every state of a chain in 80 columns', async () => {
    let all = ''
    for (const [name, view] of Object.entries(CHAIN_VIEWS)) all += `--- ${name}\n${chainStatusText(view)}\n\n`
    expect(Math.max(...all.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(80)
    await expect(all).toMatchFileSnapshot('golden/chain-status.txt')
  })

  it('begins with the alarm', () => {
    const view = CHAIN_VIEWS['alarm']
    expect(view && chainStatusText(view)).toMatch(/^ALARM since 2026-11-21 18:04: a heavier chain would take back 41 blocks\n/)
  })
})
