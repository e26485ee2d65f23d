/** How fresh is what the page shows. */
import { clock, date } from '../format.ts'
import { h } from '../h.ts'
import type { LiveState } from '../live.ts'
import type { Store } from '../store.ts'

export function stateOfData(store: Store, live: LiveState): HTMLElement {
  const [words, mood, title] = inWords(store, live)
  return h(
    'span',
    { class: `badge state ${mood}`, role: 'status', title },
    h('i', { class: 'dot', 'aria-hidden': 'true' }),
    words,
  )
}

function inWords({ lostSince, staleSince }: Store, live: LiveState): readonly [string, string, string] {
  if (lostSince) {
    const time = clock(lostSince.getTime())
    return ['Reconnecting', 'bad', `The daemon cannot be reached since ${time}. What is shown is older.`]
  }
  if (staleSince) {
    const time = date(staleSince.getTime())
    return [`As of ${time}`, 'warning', 'The master daemon cannot be reached; this is its last known state.']
  }
  if (live === 'live') return ['Live', 'good', 'Changes are shown as they happen.']
  if (live === 'none')
    return ['Polling', 'calm', 'There are no events; what is shown is read again every few seconds.']
  return ['Connecting', 'calm', 'What is shown is read again every few seconds until events come.']
}
