/** One job: each of its steps with its log, and how it ended. */
import { h } from '../h.ts'
import { isOver, summaryParts } from '../model.ts'
import type { MakeView } from '../page.ts'
import { jobBadge } from '../parts/badge.ts'
import { icon } from '../parts/icon.ts'
import { jobCard } from '../parts/job-card.ts'
import { hrefTo } from '../router.ts'

export const job: MakeView = (page, [id = '']) => {
  let problem = ''
  const cancel = async () => {
    problem = ''
    try {
      const [isCanceled, why] = (await page.session.api.send('DELETE', `/2/jobs/${id}`)) as [boolean, string]
      if (!isCanceled) problem = why
    } catch (thrown) {
      problem = (thrown as Error).message
    }
    page.store.invalidate((path) => path === `/2/jobs/${id}` || path === page.cluster.jobsPath)
    page.redraw()
  }
  return {
    title: `Job ${id}`,
    draw: () => {
      const { data } = page.cluster.job(id)
      const [what, of] = summaryParts(data?.summary ?? [])
      const mayCancel =
        data && !isOver(data) && data.status !== 'canceling' && page.session.may('jobs.cancel')
      return [
        h(
          'div',
          { class: 'heading' },
          h(
            'div',
            {},
            h('a', { class: 'crumb', href: hrefTo('jobs') }, 'Jobs'),
            h('h1', {}, `Job ${id}`),
            data &&
              h(
                'p',
                { class: 'facts' },
                h('span', { role: 'status' }, jobBadge(data)),
                h('span', {}, what),
                subject(of),
              ),
          ),
          mayCancel &&
            h(
              'div',
              { class: 'buttons' },
              h('button', { type: 'button', onclick: () => void cancel() }, icon('close'), 'Cancel'),
            ),
        ),
        problem !== '' && h('p', { class: 'notice bad', role: 'alert' }, problem),
        jobCard(page, id, true),
      ]
    },
  }

  /** What the job is about, with a link if that is known here. */
  function subject(name: string): HTMLElement | null {
    if (name === '') return null
    const { store, cluster } = page
    if (store.peek(cluster.instancesPath) && cluster.instances().data?.some((one) => one.name === name))
      return h('a', { href: hrefTo('instances', name) }, name)
    if (cluster.peekNodes().includes(name)) return h('a', { href: hrefTo('nodes', name) }, name)
    return h('span', {}, name)
  }
}
