import { Worker } from 'node:worker_threads'
import { parseYaml } from '../../lib/backend/config-file/yaml/syntax/yaml-tree.ts'
import type { Json } from '../../lib/json/json.ts'
import type { Area } from './area.ts'
import { planCluster } from './cluster-plan.ts'
import { writePlan } from './cluster-text.ts'
import { type Edits, KINDS, type Tried } from './edits.ts'
import { misread, Yaml11Reader } from './yaml11-reader.ts'

/** Milliseconds after which edits are taken for endless; they take less than a hundredth of it. */
const ENDLESS = 120_000
/** Of edits, how many may be refused, and of files, how many may be none. */
const MOST_REFUSED = 0.01
const MOST_UNREADABLE = 0.1
/** Shares of so few say nothing. */
const ENOUGH = 1000

/** Edits of clusters' YAML files as people write them: what was wanted is done, and all else is as it was. */
export async function editsArea(): Promise<Area<Edits>> {
  const python = Yaml11Reader.isInstalled ? new Yaml11Reader() : undefined
  let worker = newWorker()
  const count = { files: 0, unreadable: 0, edits: 0, contradictions: 0, refused: 0 }

  const note = ({ edits, contradictions, refusals, readable }: Tried) => {
    count.files++
    count.edits += edits
    count.contradictions += contradictions
    count.refused += refusals.length
    if (!readable) count.unreadable++
    for (const refusal of refusals) process.stderr.write(`cannot be written: ${refusal}\n`)
  }
  /** What is tried again, smaller, says nothing about how many cases come to something. */
  let shrinking = false

  const attempt = async (edits: Edits): Promise<string | undefined> => {
    const tried = await onThread(worker, edits)
    if (tried === undefined) {
      await worker.terminate()
      worker = newWorker()
      return 'it does not end'
    }
    if (!shrinking) note(tried)
    if (!tried.readable) return undefined
    return tried.fault ?? (python && tried.edits > 0 ? await misreadBy(python, tried.texts) : undefined)
  }

  return {
    name: 'edits',
    atOnce: 1,
    make: (random) => ({
      file: writePlan(random, planCluster(random)),
      steps: random.several(1 + random.below(10), () => ({
        kind: random.pick(KINDS),
        seed: random.below(1e9),
      })),
    }),
    attempt,
    health: async () => undefined,
    shrink: async (edits, fails) => {
      shrinking = true
      const smallest = await shrinkEdits(edits, fails)
      shrinking = false
      return smallest
    },
    show: ({ file, steps }) => `${JSON.stringify(file)}\n${file}\n${JSON.stringify(steps)}`,
    finish: async () => {
      process.stderr.write(`edits: ${JSON.stringify(count)}\n`)
      if (count.files > ENOUGH && count.unreadable > count.files * MOST_UNREADABLE)
        return 'too many files are none'
      if (count.edits > ENOUGH && count.refused > count.edits * MOST_REFUSED)
        return 'too many edits are refused'
      return undefined
    },
    close: async () => {
      python?.close()
      await worker.terminate()
    },
  }
}

function newWorker(): Worker {
  return new Worker(new URL('./edits-thread.js', import.meta.url), { execArgv: [] })
}

function onThread(worker: Worker, edits: Edits): Promise<Tried | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(timer)
      worker.off('message', answered).off('error', failed)
      end()
    }
    const timer = setTimeout(() => settle(() => resolve(undefined)), ENDLESS)
    const answered = (tried: Tried) => settle(() => resolve(tried))
    const failed = (error: unknown) => settle(() => reject(error))
    worker.once('message', answered).once('error', failed)
    worker.postMessage(edits)
  })
}

/** Whether what was written is something else for a reader of YAML 1.1; what a person wrote so is not looked at. */
async function misreadBy(python: Yaml11Reader, texts: readonly string[]): Promise<string | undefined> {
  const answers = await python.read(texts)
  const [[how, first] = ['refused', null], ...others] = answers
  if (how === 'refused') return undefined
  const before = misread(saidBy(texts[0] as string), first)
  for (const [index, [kind, value]] of others.entries()) {
    const text = texts[index + 1] as string
    if (kind === 'refused') return `PyYAML refuses what is written: ${value}`
    const [fault] = [...misread(saidBy(text), value)].filter((one) => !before.has(one))
    if (fault !== undefined) return `PyYAML reads something else: ${fault}`
  }
  return undefined
}

function saidBy(text: string): Json {
  return parseYaml(text).value
}

/** Leaves out steps and lines that need not be there. */
async function shrinkEdits(edits: Edits, fails: (smaller: Edits) => Promise<boolean>): Promise<Edits> {
  let { file, steps } = edits
  const without = <T>(from: readonly T[], at: number, size: number) => [
    ...from.slice(0, at),
    ...from.slice(at + size),
  ]
  for (let at = steps.length - 1; at >= 0; at--) {
    const fewer = without(steps, at, 1)
    if (await fails({ file, steps: fewer })) steps = fewer
  }
  const eol = file.includes('\r\n') ? '\r\n' : '\n'
  for (let size = 8; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < file.split(eol).length; ) {
      const fewer = without(file.split(eol), at, size).join(eol)
      if (await fails({ file: fewer, steps })) file = fewer
      else at += size
    }
  }
  return { file, steps }
}
