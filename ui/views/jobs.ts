import { ago, date, duration, timeOf } from '../format.ts'
import { h } from '../h.ts'
import { isOver, type Job, jobMood, jobWords, progressOf, summaryParts } from '../model.ts'
import type { MakeView } from '../page.ts'
import { jobBadge } from '../parts/badge.ts'
import { listView } from '../parts/list.ts'
import { hrefTo } from '../router.ts'

/** All jobs of the queue: those that are not over, then the newest. */
export const jobs: MakeView = (page, _names, query) => {
  let last: { readonly of: readonly Job[]; readonly ordered: readonly Job[] } | undefined
  const read = () => {
    const { data, error } = page.cluster.jobs()
    if (data && last?.of !== data) {
      last = { of: data, ordered: [...data.filter((job) => !isOver(job)), ...data.filter(isOver)] }
    }
    return { data: data && last?.ordered, error }
  }
  return listView<Job>(page, query, {
    title: 'Jobs',
    read,
    textOf: ({ id, summary, status }) =>
      `${id}\n${summary.join('\n')}\n${status}\n${jobWords(status)}`.toLowerCase(),
    hint: 'Find by number, operation, name',
    none: 'There are no such jobs in the queue.',
    kinds: [
      { words: 'Unfinished', show: 'unfinished', has: (job) => !isOver(job) },
      { words: 'Failed', show: 'error', has: ({ status }) => status === 'error' },
      { words: 'Done', show: 'success', has: ({ status }) => status === 'success' },
      { words: 'Canceled', show: 'canceled', has: ({ status }) => status === 'canceled' },
    ],
    hrefOf: ({ id }) => hrefTo('jobs', id),
    columns: [
      {
        title: 'Job',
        by: ({ id }) => Number(id),
        width: '10%',
        kind: 'job-id',
        draw: ({ id }) => h('a', { href: hrefTo('jobs', id) }, String(id)),
      },
      {
        title: 'Operation',
        by: ({ summary }) => summary.join(),
        width: '36%',
        draw: (job) => {
          const [what, of] = summaryParts(job.summary)
          const more = job.summary.length - 1
          return [
            `${what} `,
            h('b', {}, of),
            more > 0 && h('span', { class: 'muted' }, ` and ${more} more`),
            h('span', { class: 'sub' }, whenOf(job)),
          ]
        },
      },
      {
        title: 'Status',
        by: ({ status }) => status,
        width: '17%',
        draw: (job) => jobBadge(job),
        kind: 'status',
      },
      { title: 'Progress', width: '15%', draw: (job) => progress(job), kind: 'wide' },
      {
        title: 'Came',
        by: (job) => timeOf(job.received_ts) ?? 0,
        width: '12%',
        draw: (job) => cameWhen(job),
        kind: 'wide',
      },
      {
        title: 'Took',
        by: (job) => tookOf(job) ?? 0,
        width: '10%',
        draw: (job) => took(job),
        kind: 'wide number',
      },
    ],
  })
}

function progress(job: Job): HTMLElement {
  const [done, of] = progressOf(job)
  return h(
    'div',
    { class: 'steps', role: 'img', 'aria-label': `${done} of ${of} steps are over` },
    job.opstatus.map((status) =>
      h('span', { class: status === 'queued' || status === 'waiting' ? 'calm' : jobMood(status) }),
    ),
  )
}

function cameWhen(job: Job): HTMLElement | null {
  const received = timeOf(job.received_ts)
  return received === undefined ? null : h('span', { class: 'muted', title: date(received) }, ago(received))
}

function tookOf(job: Job): number | undefined {
  const [start, end] = [timeOf(job.start_ts), timeOf(job.end_ts)]
  if (start === undefined) return undefined
  return (end ?? Date.now()) - start
}

function took(job: Job): string {
  const milliseconds = tookOf(job)
  return milliseconds === undefined ? '–' : duration(milliseconds)
}

function whenOf(job: Job): string {
  const received = timeOf(job.received_ts)
  return received === undefined ? '' : ago(received)
}
