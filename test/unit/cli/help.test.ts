import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../../src/cli/commands.ts'
import { nearest } from '../../../src/cli/nearest.ts'
import { meshbox } from './console.ts'

const longest = (text: string): number => Math.max(...text.split('\n').map((line) => [...line].length))

describe('help', () => {
  it('lists every command', async () => {
    const { code, out } = await meshbox('help')
    expect(code).toBe(0)
    for (const command of COMMANDS) expect(out).toContain(`  ${command.words.join(' ')}`)
    await expect(out).toMatchFileSnapshot('golden/help.txt')
  })

  it('tells all about each command, in 80 columns', async () => {
    let all = ''
    for (const command of COMMANDS) {
      const { code, out } = await meshbox([...command.words, '--help'])
      expect([command.words, code]).toEqual([command.words, 0])
      expect(out).toMatch(new RegExp(`^Usage: meshbox ${command.words.join(' ')}`))
      for (const option of command.options ?? []) expect(out).toContain(`--${option.name}`)
      all += `$ meshbox ${command.words.join(' ')} --help\n${out}\n`
    }
    expect(longest(all)).toBeLessThanOrEqual(80)
    await expect(all).toMatchFileSnapshot('golden/help-of-each.txt')
  })

  it.each(['help voucher create', 'voucher create -h', 'voucher create --help', 'voucher --help create', '--help voucher create', 'voucher create half_hour 3 --help'])('is there for: meshbox %s', async (line) => {
    const { code, out } = await meshbox(line)
    expect(code).toBe(0)
    expect(out).toMatch(/^Usage: meshbox voucher create|meshbox voucher create PACKAGE COUNT/m)
  })

  it('shows the commands of a group', async () => {
    const { code, out } = await meshbox('help voucher')
    expect(code).toBe(0)
    await expect(out).toMatchFileSnapshot('golden/help-voucher.txt')
  })

  it('is what one gets without a command, as an error', async () => {
    const { code, out, err } = await meshbox('')
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain('Usage: meshbox <command>')
  })
})

describe('wrong use', () => {
  it('is told with what to do, exit code 2', async () => {
    const lines = [
      'stats', 'sesions', 'voucher crate', 'voucher key', 'voucher key wrods', 'voucher burn', 'xyzzy', '--jsn', 'status --jsn', 'sessions list --limit', 'sessions list --limit x', 'sessions list --limit 501',
      'sessions list --all --all', 'sessions list --all=1', 'sessions show', 'sessions show a b', 'sessions extend a1', 'voucher create half_hour', 'voucher create half_hour many', 'voucher create half_hour 1001',
      'voucher revoke', 'voucher revoke --id 1 --batch b', 'voucher list --state old', 'tariff set', 'tariff set --price-per-minute cheap', 'tariff set --minutes-per-token -1', 'backup', 'receipt verify r --box 0x12', 'status --socket', 'password', 'config', "sessions kick ''",
    ]
    let all = ''
    for (const line of lines) {
      const { code, out, err } = await meshbox(line)
      expect([line, code, out]).toEqual([line, 2, ''])
      all += `$ meshbox ${line}\n${err}\n`
    }
    await expect(all).toMatchFileSnapshot('golden/wrong-use.txt')
  })

  it('comes as one JSON document with --json', async () => {
    const { code, out, err } = await meshbox('voucher crate --json')
    expect([code, err]).toEqual([2, ''])
    expect(JSON.parse(out)).toEqual({ error: 'usage', message: "unknown command: meshbox voucher crate; did you mean 'meshbox voucher create'?" })
  })

  it('does not draw on the terminal', async () => {
    const { err } = await meshbox(['sta\u001b[2Jtus', '--\u0007x'])
    expect(err).not.toMatch(/[\u0007\u001b]/)
  })
})

describe('nearest name', () => {
  const names = ['status', 'sessions', 'voucher', 'tariff', 'earnings', 'support-bundle']
  it.each([
    ['stauts', 'status'],
    ['session', 'sessions'],
    ['vouchers', 'voucher'],
    ['earn', 'earnings'],
    ['supportbundle', 'support-bundle'],
    ['xyzzy', null],
    ['', null],
    ['s', null],
  ])('%s → %s', (typed, expected) => {
    expect(nearest(typed, names)).toBe(expected)
  })
})
