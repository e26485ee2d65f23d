/** Every resource of the API, found as one types. */
import { type Child, h } from '../h.ts'
import { type OpenApi, type Operation, operationsOf } from '../open-api.ts'
import type { MakeView, Page } from '../page.ts'
import { findField } from '../parts/find-field.ts'
import { prose } from '../parts/prose.ts'
import { trouble } from '../parts/trouble.ts'
import { hrefTo, rememberQuery } from '../router.ts'

export const DESCRIPTION = '/2/openapi.json'

export const api: MakeView = (page, _names, query) => {
  let words = query.get('find') ?? ''
  const change = (text: string) => {
    words = text
    rememberQuery({ find: words })
    page.redraw()
  }
  return {
    title: 'API',
    draw: () => {
      const { data, error } = page.store.read<OpenApi>(DESCRIPTION, Number.POSITIVE_INFINITY)
      return [
        h(
          'div',
          { class: 'heading' },
          h('h1', {}, 'API'),
          findField('Find by path, name, permission', words, change),
        ),
        h(
          'p',
          { class: 'facts' },
          h('span', {}, 'The same as a document: ', h('a', { href: DESCRIPTION }, DESCRIPTION)),
        ),
        trouble(error, 'the description of the API'),
        data ? sections(page, data, words) : !error && h('p', { class: 'loading' }, 'Loading'),
      ]
    },
  }
}

function sections({ session }: Page, description: OpenApi, words: string): Child {
  const parts = words.toLowerCase().split(/\s+/).filter(Boolean)
  const found = operationsOf(description).filter((operation) => {
    const { method, path, operationId, summary, tags } = operation
    const text = [method, path, operationId, summary, operation['x-ganeti-permission'], ...tags]
      .join('\n')
      .toLowerCase()
    return parts.every((part) => text.includes(part))
  })
  if (found.length === 0) return h('p', { class: 'none' }, 'Nothing is like that.')
  return description.tags.map(({ name, description: about }) => {
    const own = found.filter(({ tags }) => tags[0] === name)
    if (own.length === 0) return null
    return h(
      'section',
      { class: 'card', key: name, 'aria-label': name },
      h('h2', {}, name, h('span', { class: 'muted' }, about)),
      h(
        'ul',
        { class: 'operations' },
        own.map((operation) => line(operation, session.may.bind(session))),
      ),
    )
  })
}

function line(operation: Operation, may: (permission: string) => boolean): HTMLElement {
  const { method, path, operationId, summary } = operation
  const permission = operation['x-ganeti-permission']
  const isOpen = !permission || may(permission)
  return h(
    'li',
    { key: operationId },
    h(
      'a',
      {
        href: hrefTo('api', operationId),
        class: isOpen ? '' : 'closed',
        title: isOpen ? undefined : `Needs ${permission}`,
      },
      h('span', { class: `method ${method.toLowerCase()}` }, method),
      h('code', {}, path),
      h('span', { class: 'muted' }, prose(summary)),
    ),
  )
}
