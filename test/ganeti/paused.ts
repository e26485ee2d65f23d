/** Comparing jobs in the queue, where nothing comes of them. */
import { must, run } from './sides.ts'

const PAUSE = ['add', '--priority=0', '--action=PAUSE', '--predicates=[]', '--reason=comparing']

/** Does something while the job queue is paused; no job that is submitted meanwhile is ever run. */
export async function whilePaused(action: () => Promise<void>): Promise<void> {
  const [uuid = ''] = /[\da-f]{8}-[\da-f-]{27}/.exec(await must('gnt-filter', ...PAUSE)) ?? []
  try {
    await action()
  } finally {
    // Fails where there is none.
    await run('gnt-job', 'cancel', '--pending', '--force')
    await must('gnt-filter', 'delete', uuid)
  }
}

/** Does something with each item, a few at a time: a job takes the master daemon a while to write down. */
export async function inParallel<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const left = [...items].reverse()
  const one = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await action(item)
  }
  await Promise.all(Array.from({ length: 6 }, one))
}
