/** Which Node is taken, and what is said to the others. */
import { describe, expect, it } from 'vitest'
import { nodeProblem } from '../../../src/main/node-version.ts'

describe('the Node that runs us', () => {
  it.each([
    ['22.14.0', '10'],
    ['22.23.2', '10'],
    ['24.0.0', '10'],
    ['26.7.0', '11'],
  ])('%s with Node-API %s is taken', (node, napi) => {
    expect(nodeProblem('meshboxd', { node, napi })).toBeNull()
  })

  it.each([
    ['20.20.2', '9'],
    ['22.13.1', '9'],
    ['22.9.0', '10'],
    ['21.0.0', '10'],
    ['23.0.0', '9'], // newer than 22.14, but without Node-API 10
    ['12.22.12', '8'],
    ['22.14.0', undefined],
    ['', ''],
  ])('%s with Node-API %s is refused, with what to install', (node, napi) => {
    const told = nodeProblem('meshboxd', { node, napi })
    expect(told).toMatch(new RegExp(`^meshboxd: Node ${node.replaceAll('.', '\\.')} is too old`))
    for (const word of ['22.14', 'node127', 'MESHBOX_NODE']) expect(told).toContain(word)
  })
})
