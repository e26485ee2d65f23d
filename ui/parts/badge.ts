/** A status in words, with a dot of the colour of its mood: colour is never all that tells. */
import { h } from '../h.ts'
import {
  type Job,
  jobMood,
  jobWords,
  type Mood,
  moodOf,
  type Node,
  roleMood,
  roleWords,
  wordsFor,
} from '../model.ts'

export function badge(words: string, mood: Mood, title?: string): HTMLElement {
  return h('span', { class: `badge ${mood}`, title }, h('i', { class: 'dot', 'aria-hidden': 'true' }), words)
}

export function instanceBadge(status: string): HTMLElement {
  return badge(wordsFor(status), moodOf(status), status)
}

export function jobBadge({ status }: Pick<Job, 'status'>): HTMLElement {
  return badge(jobWords(status), jobMood(status), status)
}

export function nodeBadge({ role }: Pick<Node, 'role'>): HTMLElement {
  return badge(roleWords(role), roleMood(role))
}

export function tagList(tags: readonly string[]): HTMLElement | null {
  if (tags.length === 0) return null
  return h(
    'span',
    { class: 'tags' },
    tags.map((tag) => h('span', { class: 'tag' }, tag)),
  )
}
