/**
 * Reads the journal at a start (its replay): every job as the last line about
 * it has it. See journal.ts for the format.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../../../failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../../json/json.ts'
import type { Job } from '../../../model/job.ts'
import type { OpenWrite } from './journal-records.ts'

/** What the folder of a queue has. */
export interface StoredQueue {
  readonly last: number
  readonly jobs: Map<number, Job>
  readonly open: OpenWrite | undefined
  /** What was being carried out when the daemon that wrote this was last at it. */
  readonly running: readonly RunningOp[]
}

/** An opcode by its job and its place there. */
export type RunningOp = readonly [job: number, index: number]

/**
 * Reads what the folder of a queue has, without changing it.
 * @throws Failure `configuration` where it cannot be read or makes no sense
 */
export async function readJournal(folder: string): Promise<StoredQueue> {
  const number = await latestJournal(folder)
  if (number === undefined) return { last: 0, jobs: new Map(), open: undefined, running: [] }
  const path = join(folder, `journal-${number}`)
  try {
    return { ...replay(await readFile(path, 'utf8'), path), running: await readRunning(folder) }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('configuration', `cannot read the job queue in ${folder}`, { cause: error })
  }
}

const JOURNAL = /^journal-(\d+)$/

/** @returns the number of the newest journal in a folder, if there is one */
export async function latestJournal(folder: string): Promise<number | undefined> {
  const names = await readdir(folder).catch((error) => {
    if (error.code === 'ENOENT') return []
    throw new Failure('configuration', `cannot read the job queue in ${folder}`, { cause: error })
  })
  const numbers = names.flatMap((name) => JOURNAL.exec(name)?.[1] ?? []).map(Number)
  return numbers.length === 0 ? undefined : Math.max(...numbers)
}

/** The name of the file that lists the opcodes that are being carried out. */
export const RUNNING = 'running'

async function readRunning(folder: string): Promise<readonly RunningOp[]> {
  const text = await readFile(join(folder, RUNNING), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  try {
    return parseJson(text.slice(0, text.indexOf('\n'))) as unknown as readonly RunningOp[]
  } catch {
    // Nothing was noted, or a loss of power left something else.
    return []
  }
}

function replay(text: string, path: string): Omit<StoredQueue, 'running'> {
  const jobs = new Map<number, Job>()
  let last = 0
  let open: OpenWrite | undefined
  const put = (job: Job) => {
    jobs.set(job.id, job)
    last = Math.max(last, job.id)
  }
  const lines = text.split('\n')
  // What stands behind the last line break was cut off; so was what a loss of power left empty.
  lines.pop()
  const hole = lines.findIndex((line) => line.includes('\0'))
  if (hole >= 0) lines.length = hole
  for (const [index, line] of lines.entries()) {
    const record = parseLine(line)
    if (!record) throw new Failure('configuration', `${path}:${index + 1}: the job queue is damaged`)
    const { job, write, written, jobs: members } = record
    if (typeof record.last === 'number') last = Math.max(last, record.last)
    if (isJsonObject(job)) put(job as unknown as Job)
    if (isJsonObject(write)) {
      open = { ...(write as unknown as OpenWrite), jobs: members as unknown as readonly Job[] }
      // Those that were submitted with it have their ids, however it went.
      last = Math.max(last, ...open.jobs.map(({ id }) => id))
    }
    if (written !== undefined) {
      if (written) for (const member of open?.jobs ?? []) put(member)
      open = undefined
    }
  }
  return { last, jobs, open }
}

function parseLine(line: string): JsonObject | undefined {
  try {
    const record: Json = parseJson(line)
    return isJsonObject(record) ? record : undefined
  } catch {
    return undefined
  }
}
