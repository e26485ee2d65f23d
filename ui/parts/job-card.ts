/** A job: how far it is, its log as it grows, and how it ended. */
import { clock, date, duration, timeOf } from '../format.ts'
import { type Child, h } from '../h.ts'
import {
  isOver,
  type JobDetails,
  type JobStatus,
  jobMood,
  jobWords,
  progressOf,
  summaryParts,
} from '../model.ts'
import type { Page } from '../page.ts'
import { hrefTo } from '../router.ts'
import { jobBadge } from './badge.ts'
import { trouble } from './trouble.ts'

/** So many lines of a log are shown, the newest of them. */
const MOST_LINES = 500

export function jobCard(page: Page, id: number | string, isWhole = false): HTMLElement {
  const { data: job, error } = page.cluster.job(id)
  if (!job) {
    return h(
      'section',
      { class: 'card', key: `job ${id}` },
      trouble(error, `job ${id}`) ?? h('p', { class: 'loading' }, `Job ${id}`),
    )
  }
  const [what, of] = summaryParts(job.summary)
  const [done, all] = progressOf(job)
  return h(
    'section',
    { class: 'card job', key: `job ${id}`, 'aria-label': `Job ${id}` },
    !isWhole &&
      h(
        'div',
        { class: 'title' },
        h(
          'h2',
          {},
          h('a', { href: hrefTo('jobs', id) }, `Job ${id}`),
          h('span', { class: 'muted' }, `${what} ${of}`),
        ),
        h('span', { role: 'status' }, jobBadge(job)),
      ),
    h(
      'div',
      { class: 'steps', role: 'img', 'aria-label': `${done} of ${all} steps are over` },
      job.opstatus.map((status) =>
        h('span', { class: hasBegun(status) ? jobMood(status) : 'calm', title: jobWords(status) }),
      ),
    ),
    h('p', { class: 'muted' }, timesOf(job, all)),
    isWhole ? job.ops.map((_, at) => step(job, at)) : [failureOf(job), logOf(job.oplog.flat())],
  )
}

function hasBegun(status: JobStatus): boolean {
  return status !== 'queued' && status !== 'waiting'
}

function timesOf(job: JobDetails, steps: number): Child {
  const [received, start, end] = [job.received_ts, job.start_ts, job.end_ts].map(timeOf)
  const words = steps > 1 ? [`${steps} steps`] : []
  if (start !== undefined && end !== undefined)
    words.push(`took ${duration(end - start)}`, `ended ${date(end)}`)
  else if (start !== undefined && !isOver(job)) words.push(`runs for ${duration(Date.now() - start)}`)
  else if (received !== undefined) words.push(`came ${date(received)}`)
  return words.join(' · ')
}

/** One opcode of a job, with its own log and result. */
function step(job: JobDetails, at: number): HTMLElement {
  const op = job.ops[at]
  const status: JobStatus = job.opstatus[at] ?? 'queued'
  const [what] = summaryParts([String(op?.OP_ID ?? '').replace(/^OP_/, '')])
  const { OP_ID: _, reason, ...parameters } = op ?? { OP_ID: '' }
  const result = job.opresult[at]
  return h(
    'div',
    { class: 'step' },
    h('div', { class: 'title' }, h('h3', {}, `${at + 1}. ${what}`), jobBadge({ status })),
    status === 'error' && h('p', { class: 'problem' }, messageIn(result)),
    logOf(job.oplog[at] ?? []),
    h('details', {}, h('summary', {}, 'Parameters'), h('pre', {}, JSON.stringify(parameters, undefined, 2))),
    Array.isArray(reason) && h('details', {}, h('summary', {}, 'Reason'), h('pre', {}, reasonText(reason))),
    status === 'success' &&
      result !== null &&
      h('details', {}, h('summary', {}, 'Result'), h('pre', {}, JSON.stringify(result, undefined, 2))),
  )
}

function reasonText(reason: readonly unknown[]): string {
  return reason
    .map((entry) => {
      const [source, text, time] = Array.isArray(entry) ? entry : [entry]
      return `${date(Number(time) / 1e6)}  ${source}  ${text}`
    })
    .join('\n')
}

function failureOf(job: JobDetails): HTMLElement | null {
  const at = job.opstatus.indexOf('error')
  return at < 0 ? null : h('p', { class: 'problem' }, messageIn(job.opresult[at]))
}

/** The message of an encoded error: `["OpPrereqError", ["message", "code"]]`. */
function messageIn(result: unknown): string {
  if (!Array.isArray(result)) return String(result ?? 'It failed')
  const [name, details] = result
  const [message, code] = Array.isArray(details) ? details : [details]
  return `${message ?? name}${typeof code === 'string' ? ` (${code})` : ''}`
}

function logOf(lines: JobDetails['oplog'][number]): HTMLElement | null {
  if (lines.length === 0) return null
  return h(
    'ol',
    { class: 'log', role: 'log', 'aria-label': 'Log', tabindex: 0 },
    lines
      .slice(-MOST_LINES)
      .map(([serial, time, , message]) =>
        h(
          'li',
          { key: String(serial) },
          h('time', {}, clock(timeOf(time) ?? 0)),
          h('span', {}, typeof message === 'string' ? message : JSON.stringify(message)),
        ),
      ),
  )
}

/** Draws, and keeps the ends of logs in sight, but for those that were scrolled back. */
export function followingLogs(draw: () => void): void {
  const logs = () => document.querySelectorAll('.log')
  const left = new Set([...logs()].filter((log) => log.scrollTop + log.clientHeight < log.scrollHeight - 4))
  draw()
  for (const log of logs()) if (!left.has(log)) log.scrollTop = log.scrollHeight
}
