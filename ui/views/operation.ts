/** One method of a resource: what it takes, a form to send it, the line for curl, and what comes back. */
import { ApiError } from '../api.ts'
import { type Child, h } from '../h.ts'
import { type OpenApi, type Operation, operationsOf, type Parameter, resolved, typeOf } from '../open-api.ts'
import type { MakeView } from '../page.ts'
import { copyButton } from '../parts/copy-button.ts'
import { facts } from '../parts/facts.ts'
import { prose } from '../parts/prose.ts'
import { trouble } from '../parts/trouble.ts'
import { type ApiRequest, curlLine, targetOf } from '../request.ts'
import { hrefTo } from '../router.ts'
import { DESCRIPTION } from './api.ts'

/** So much of an answer is shown. */
const MOST_SHOWN = 200_000
const LONG_NUMBER = /\d{16}/

interface Sent {
  readonly status: number
  readonly milliseconds: number
  readonly text: string
}

export const operation: MakeView = (page, [id = '']) => {
  /** What was typed, by parameter. */
  const values = new Map<string, string>()
  let body: string | undefined
  let sent: Sent | undefined
  let problem = ''
  let isSending = false

  const requestOf = (one: Operation): ApiRequest => {
    const path = one.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(values.get(name) ?? ''),
    )
    const query = one.parameters.flatMap(({ in: where, name }): [string, string][] => {
      const value = values.get(name) ?? ''
      return where === 'query' && value !== '' ? [[name, value]] : []
    })
    const text = body?.trim() ?? ''
    return { method: one.method, path, query, ...(text !== '' && { body: JSON.parse(text) as unknown }) }
  }
  const send = async (one: Operation) => {
    problem = ''
    sent = undefined
    try {
      const request = requestOf(one)
      isSending = true
      page.redraw()
      const begun = performance.now()
      const response = await page.session.api.fetch(targetOf(request), {
        method: request.method,
        ...(request.body !== undefined && {
          body: JSON.stringify(request.body),
          headers: { 'Content-Type': 'application/json' },
        }),
      })
      const text = await response.text()
      sent = { status: response.status, milliseconds: performance.now() - begun, text }
      page.store.invalidate((path) => path === page.cluster.jobsPath)
    } catch (thrown) {
      problem =
        thrown instanceof ApiError ? thrown.message : `The body is no JSON: ${(thrown as Error).message}`
    } finally {
      isSending = false
      page.redraw()
    }
  }

  return {
    title: id,
    draw: () => {
      const { data, error } = page.store.read<OpenApi>(DESCRIPTION, Number.POSITIVE_INFINITY)
      const one = data && operationsOf(data).find(({ operationId }) => operationId === id)
      return [
        h(
          'div',
          { class: 'heading' },
          h(
            'div',
            {},
            h('a', { class: 'crumb', href: hrefTo('api') }, 'API'),
            h('h1', {}, one ? one.summary.replaceAll('`', '') : id),
            one &&
              h(
                'p',
                { class: 'line' },
                h('span', { class: `method ${one.method.toLowerCase()}` }, one.method),
                h('code', {}, one.path),
              ),
          ),
        ),
        trouble(error, 'the description of the API'),
        data && !one && h('p', { class: 'notice' }, 'There is no such method.'),
        data &&
          one &&
          h(
            'div',
            { class: 'columns' },
            h('div', { class: 'stack' }, form(data, one)),
            h('div', { class: 'stack' }, about(data, one)),
          ),
      ]
    },
  }

  function form(description: OpenApi, one: Operation): Child {
    const permission = one['x-ganeti-permission']
    const isAllowed = !permission || page.session.may(permission)
    const content = one.requestBody?.content['application/json']
    body ??= content ? JSON.stringify(content.example ?? {}, undefined, 2) : ''
    for (const { name, in: where, example } of one.parameters) {
      if (where === 'path' && !values.has(name)) values.set(name, String(example ?? ''))
    }
    return [
      h(
        'section',
        { class: 'card', 'aria-label': 'Try it' },
        h(
          'form',
          {
            class: 'try',
            onsubmit: (event) => {
              event.preventDefault()
              void send(one)
            },
          },
          one.parameters.map((parameter) => field(description, parameter)),
          content &&
            h(
              'label',
              {},
              'Body',
              h('textarea', {
                rows: Math.min(16, Math.max(3, body.split('\n').length)),
                spellcheck: 'false',
                value: body,
                oninput: ({ target }) => {
                  body = (target as HTMLTextAreaElement).value
                  page.redraw()
                },
              }),
            ),
          h(
            'div',
            { class: 'request-box' },
            h(
              'div',
              { class: 'title' },
              h('h3', {}, 'With curl'),
              copyButton('Copy', () => curlOf(one)),
            ),
            h('pre', { tabindex: 0, 'aria-label': 'The line for curl' }, curlOf(one)),
          ),
          isAllowed
            ? h(
                'div',
                { class: 'buttons' },
                h('button', { class: 'primary', disabled: isSending }, `Send ${one.method}`),
              )
            : h(
                'p',
                { class: 'notice' },
                'It needs the permission ',
                h('code', {}, permission),
                ', which you do not have.',
              ),
          problem !== '' && h('p', { class: 'problem', role: 'alert' }, problem),
        ),
      ),
      sent && answer(sent),
    ]
  }

  function curlOf(one: Operation): string {
    try {
      return curlLine(requestOf(one), page.session.user)
    } catch {
      return 'The body is no JSON.'
    }
  }

  function field(
    description: OpenApi,
    { name, in: where, description: doc, schema, required }: Parameter,
  ): HTMLElement {
    return h(
      'label',
      {},
      h('span', {}, h('code', {}, name), ' ', where === 'path' ? null : prose(doc ?? '')),
      h('input', {
        value: values.get(name) ?? '',
        required: where === 'path' || required === true,
        placeholder: schema.default === undefined ? typeOf(description, schema) : String(schema.default),
        autocomplete: 'off',
        spellcheck: 'false',
        oninput: ({ target }) => {
          values.set(name, (target as HTMLInputElement).value)
          page.redraw()
        },
      }),
    )
  }
}

function answer({ status, milliseconds, text }: Sent): HTMLElement {
  return h(
    'section',
    { class: 'card', 'aria-label': 'Answer' },
    h(
      'div',
      { class: 'title' },
      h('h2', {}, 'Answer'),
      h(
        'span',
        { class: `badge ${status < 400 ? 'good' : 'bad'}`, role: 'status' },
        h('i', { class: 'dot', 'aria-hidden': 'true' }),
        `Status ${status}`,
      ),
      h('span', { class: 'muted' }, `${Math.round(milliseconds)} ms, ${text.length} characters`),
    ),
    h('pre', { class: 'long', tabindex: 0, 'aria-label': 'The body of the answer' }, readable(text)),
  )
}

/** With line breaks, if nothing is lost by it: numbers of more digits than JavaScript has stay as they are. */
function readable(text: string): string {
  const short =
    text.length > MOST_SHOWN
      ? `${text.slice(0, MOST_SHOWN)}\n… and ${text.length - MOST_SHOWN} more characters`
      : text
  if (short !== text || LONG_NUMBER.test(text)) return short
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    return text
  }
}

function about(description: OpenApi, one: Operation): Child {
  const schema = one.requestBody?.content['application/json']?.schema
  const properties = Object.entries((schema && resolved(description, schema).properties) ?? {})
  const required = new Set((schema && resolved(description, schema).required) ?? [])
  const example = one.responses['200']?.content?.['application/json']?.example
  return [
    h(
      'section',
      { class: 'card', 'aria-label': 'About' },
      h('p', {}, prose(one.description)),
      facts([
        ['Permission', h('code', {}, one['x-ganeti-permission'] ?? 'none')],
        ['Name in clients', h('code', {}, one.operationId)],
      ]),
    ),
    properties.length > 0 &&
      h(
        'section',
        { class: 'card', 'aria-labelledby': 'body-parameters' },
        h('h2', { id: 'body-parameters' }, 'In the body'),
        h(
          'dl',
          { class: 'properties' },
          properties.map(([name, property]) => [
            h(
              'dt',
              {},
              h('code', {}, name),
              h(
                'span',
                { class: 'muted' },
                required.has(name) ? 'required' : '',
                ' ',
                typeOf(description, property),
              ),
            ),
            h('dd', {}, prose(resolved(description, property).description ?? '')),
          ]),
        ),
      ),
    example !== undefined &&
      h(
        'details',
        { class: 'card', open: properties.length === 0 },
        h('summary', {}, 'Example of an answer'),
        h(
          'pre',
          { class: 'long', tabindex: 0, 'aria-label': 'Example' },
          JSON.stringify(example, undefined, 2),
        ),
      ),
  ]
}
