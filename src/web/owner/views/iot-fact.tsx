/** One line in a list of facts about a sensor or a tenant. */
export function Fact({ name, text, mono = false }: { name: string; text: string; mono?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={mono ? 'mono tiny' : 'num'}>{text}</dd>
    </div>
  )
}
