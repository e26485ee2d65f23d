/**
 * Tells the operator whether the cluster can be changed, and if not why: when
 * the daemon starts, and whenever that has changed by the time the file is read
 * again. Else the first client to change something would be the one to find out.
 */
import { stat } from 'node:fs/promises'
import { ownName } from '../../../daemon/privileges.ts'
import { Failure, messageChain } from '../../../failure.ts'
import type { ClusterFile } from './cluster-file.ts'

interface ReportLog {
  info(message: string): void
  warning(message: string): void
}

/**
 * @param queue says whether it takes jobs
 * @returns what tells it in the log, in one line, where it is news
 */
export function changesReporter(
  file: Pick<ClusterFile, 'path' | 'keepsRights'>,
  queue: { checkWritable(): Promise<void> },
  log: ReportLog,
): () => Promise<void> {
  let told = ''
  return async () => {
    const { level, text } = await stateOf(file, queue)
    if (text !== told) log[level](text)
    told = text
  }
}

async function stateOf(
  file: Pick<ClusterFile, 'path' | 'keepsRights'>,
  queue: { checkWritable(): Promise<void> },
): Promise<{ level: keyof ReportLog; text: string }> {
  const user = ownName()
  try {
    await queue.checkWritable()
    const { nlink } = await stat(file.path)
    const losses = [
      nlink > 1 && `its other names (hard links: ${nlink - 1}) keep the old text`,
      !file.keepsRights && 'its group and all others keep only what both may do',
    ].filter((loss) => loss !== false)
    const text = [`The cluster can be changed: jobs replace ${file.path}, as the user ${user}`, ...losses]
    return { level: losses.length > 0 ? 'warning' : 'info', text: text.join('; ') }
  } catch (error) {
    // Nobody expects to change Ganeti's own form.
    const level = error instanceof Failure && error.code === 'unsupported' ? 'info' : 'warning'
    return { level, text: `The cluster cannot be changed by the user ${user}: ${messageChain(error)}` }
  }
}
