/** The options in words: docs/configuration.md is printed from the schema, so that it cannot lie. */
import { PACKAGE_NAME, RULES, SECTIONS, optionName } from './schema.ts'
import type { Rule } from './rules.ts'

export interface OptionDescription {
  /** `config <type>` it belongs to. */
  readonly section: string
  /** Fixed name of the section; null when the name is an id of the owner's choice. */
  readonly sectionName: string | null
  readonly sectionDoc: string
  readonly option: string
  readonly form: 'option' | 'list'
  readonly kind: string
  readonly allowed: string
  /** As one would write it; null when the option has to be given. */
  readonly fallback: string | null
  readonly restart: boolean
  readonly doc: string
}

/** Every option once, in the order of the file. */
export function describeOptions(): OptionDescription[] {
  return SECTIONS.flatMap((section) => {
    const rules: Readonly<Record<string, Rule<unknown>>> = RULES[section.key]
    return Object.entries(rules).map(([property, rule]) => ({
      section: section.type,
      sectionName: section.name,
      sectionDoc: section.doc,
      option: optionName(property),
      form: rule.form,
      kind: rule.kind,
      allowed: rule.allowed,
      fallback: rule.fallback?.text ?? null,
      restart: rule.restart,
      doc: rule.doc,
    }))
  })
}

const INTRODUCTION = `# Configuration

One file in OpenWrt's UCI format, \`/etc/config/${PACKAGE_NAME}\` on a router. An empty file is valid: everything is
at its default, and the box only serves its set-up page. Ready files are in \`configs/\`.

\`\`\`
config tariff 'tariff'
    option price_per_minute '0.1'      # a comment

config package 'day'
    option slot '2'
    option label 'One day'
    option seconds '86400'
    option price '12'
\`\`\`

- \`config <type> '<name>'\` opens a section, \`option <name> '<value>'\` sets a value, \`list <name> '<value>'\` adds an
  item to a list. A value with blanks stands in quotes. A quote inside single quotes is written \`'\\''\`.
- Prices are decimal numbers in whole tokens, such as \`0.1\`.
- An option left out, or set to an empty value, has its default.
- A mistake is answered with file, line, section, option, value and what is allowed, all mistakes of the file at
  once; the running service then keeps the configuration it has. \`meshbox config check FILE\` only looks.
- \`SIGHUP\` or \`meshbox reload\` reads the file again. Options marked **restart** take effect at the next start, and
  the service says so.

This page is printed from \`src/config/schema.ts\`. After a change there: \`npx vitest run test/unit/config/describe.test.ts -u\`.
`

/** docs/configuration.md, whole. */
export function configurationPage(): string {
  const options = describeOptions()
  const sections = SECTIONS.map((section) => {
    const many = section.name === null ? ` At most ${section.max} of them; \`<id>\` is a name of your choice.` : ''
    const head = `## \`config ${section.type} '${section.name ?? '<id>'}'\`\n\n${section.doc}${many}\n\n`
    const table = '| option | default | allowed | what it is for |\n| --- | --- | --- | --- |\n'
    return head + table + options.filter((option) => option.section === section.type).map(tableRow).join('')
  })
  return `${INTRODUCTION}\n${sections.join('\n')}`
}

function tableRow(option: OptionDescription): string {
  const name = option.form === 'list' ? `list \`${option.option}\`` : `\`${option.option}\``
  const fallback = option.fallback === null ? '**must be given**' : option.fallback
  const restart = option.restart ? ' **restart**' : ''
  return `| ${[name, fallback, option.allowed, option.doc + restart].map(cell).join(' | ')} |\n`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
