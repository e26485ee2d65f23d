/** The dialog before an action: its options, a reason, and the request that they make. */
import type { Action, Option } from '../actions.ts'
import { h } from '../h.ts'
import type { InstanceDetails } from '../model.ts'
import type { Page } from '../page.ts'
import { type ApiRequest, curlLine, targetOf, textOf } from '../request.ts'
import { copyButton } from './copy-button.ts'
import { show } from './login.ts'

/** @param submitted called with the id of the job */
export function openAction(
  { session, cluster }: Page,
  action: Action,
  instance: InstanceDetails,
  submitted: (job: number) => void,
): void {
  const options = action.options.filter(({ isFor }) => isFor?.(instance) ?? true)
  const nodes = options.some(({ kind }) => kind === 'node') ? cluster.peekNodes() : []
  const fields = options.map(
    (option) =>
      [
        option,
        fieldOf(
          option,
          nodes.filter((name) => name !== instance.pnode),
        ),
      ] as const,
  )
  const reason = h('input', {
    name: 'reason',
    placeholder: 'Optional; kept with the job',
    autocomplete: 'off',
  })
  const dryRun = h('input', { name: 'dry-run', type: 'checkbox' })
  const preview = h('pre', { class: 'request', 'aria-label': 'The request', tabindex: 0 })
  const problem = h('p', { class: 'problem', role: 'alert' })
  const button = h('button', { class: 'primary' }, action.title)

  const request = (): ApiRequest => {
    const given = fields.map(([option, field]) => [option, givenIn(option, field)] as const)
    const query = given.flatMap(([{ name, isQuery }, value]) =>
      isQuery && value !== undefined ? [[name, value === true ? '1' : String(value)] as const] : [],
    )
    if (dryRun.checked) query.push(['dry-run', '1'])
    if (reason.value.trim() !== '') query.push(['reason', reason.value.trim()])
    const body = given.filter(([{ isQuery }, value]) => !isQuery && value !== undefined)
    return {
      method: action.method,
      path: `/2/instances/${encodeURIComponent(instance.name)}${action.path}`,
      query,
      ...(body.length > 0 && { body: Object.fromEntries(body.map(([{ name }, value]) => [name, value])) }),
    }
  }
  const redraw = () => {
    preview.textContent = textOf(request())
  }
  const send = async (event: Event) => {
    event.preventDefault()
    button.disabled = true
    problem.textContent = ''
    try {
      const made = request()
      const job = await session.api.send(made.method, targetOf(made), made.body)
      dialog.close()
      submitted(Number(job))
    } catch (thrown) {
      problem.textContent = (thrown as Error).message
    } finally {
      button.disabled = false
    }
  }
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'action-title' },
    h(
      'form',
      { onsubmit: (event) => void send(event), oninput: redraw, onchange: redraw },
      h('h2', { id: 'action-title' }, action.title, h('span', { class: 'muted' }, instance.name)),
      fields.map(([{ kind, words }, field]) =>
        kind === 'flag' ? h('label', { class: 'check' }, field, words) : h('label', {}, words, field),
      ),
      h('label', {}, 'Reason', reason),
      h('label', { class: 'check' }, dryRun, 'Only check whether it could be done'),
      h(
        'div',
        { class: 'request-box' },
        h(
          'div',
          { class: 'title' },
          h('h3', {}, 'Will be asked'),
          copyButton('curl', () => curlLine(request(), session.user)),
        ),
        preview,
      ),
      problem,
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
        button,
      ),
    ),
  )
  redraw()
  show(dialog)
}

type Field = HTMLInputElement | HTMLSelectElement

function fieldOf({ name, kind, choices = [] }: Option, nodes: readonly string[]): Field {
  if (kind === 'flag') return h('input', { name, type: 'checkbox' })
  if (kind === 'number') return h('input', { name, type: 'number', min: 0, placeholder: 'As usual' })
  const offered =
    kind === 'node'
      ? [['', 'As the allocator chooses'] as const, ...nodes.map((node) => [node, node] as const)]
      : choices
  return h(
    'select',
    { name },
    offered.map(([value, words]) => h('option', { value }, words)),
  )
}

/** Undefined if nothing was chosen. */
function givenIn({ kind }: Option, field: Field): string | number | true | undefined {
  if (kind === 'flag') return (field as HTMLInputElement).checked || undefined
  if (field.value === '') return undefined
  return kind === 'number' ? Number(field.value) : field.value
}
