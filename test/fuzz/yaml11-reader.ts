/** PyYAML, which reads YAML 1.1: what does it take for something else than we do? */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { isJsonObject, type Json } from '../../lib/json/json.ts'

/** Reads a line with a list of texts, answers with a line of what each says: scalars with their type before them. */
const PROGRAM = `
import json, sys, yaml
loader = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
def told(value):
    if isinstance(value, dict):
        return {'map': [[told(key), told(one)] for key, one in value.items()]}
    if isinstance(value, list):
        return [told(one) for one in value]
    return ('s' if isinstance(value, str) else '?') + str(value)
for line in sys.stdin:
    answers = []
    for text in json.loads(line):
        try:
            answers.append(['read', told(yaml.load(text, Loader=loader))])
        except (yaml.YAMLError, ValueError, TypeError) as error:
            answers.append(['refused', str(error)])
    print(json.dumps(answers), flush=True)
`

export class Yaml11Reader {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #waiting: ((line: string) => void)[] = []

  constructor() {
    this.#process = spawn('python3', ['-c', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface(this.#process.stdout).on('line', (line) => this.#waiting.shift()?.(line))
  }

  /** Whether there is one on this machine. */
  static get isInstalled(): boolean {
    return spawnSync('python3', ['-c', 'import yaml']).status === 0
  }

  /** @returns for each text: how it is read, or why it is not */
  read(texts: readonly string[]): Promise<readonly (readonly ['read' | 'refused', Json])[]> {
    this.#process.stdin.write(`${JSON.stringify(texts)}\n`)
    return new Promise((resolve) => this.#waiting.push((line) => resolve(JSON.parse(line))))
  }

  close(): void {
    this.#process.stdin.end()
  }
}

/** What of a value is text for us, and something else for that reader; as `path: ours, theirs`. */
export function misread(ours: Json, theirs: Json): ReadonlySet<string> {
  const found = new Set<string>()
  const compare = (one: Json, other: Json | undefined): void => {
    if (typeof one === 'string') {
      if (other !== `s${one}`) found.add(`${JSON.stringify(one)} is read as ${JSON.stringify(other)}`)
    } else if (Array.isArray(one)) {
      one.forEach((item: Json, index) => {
        compare(item, Array.isArray(other) ? other[index] : undefined)
      })
    } else if (isJsonObject(one)) {
      const pairs = isJsonObject(other) ? (other.map as readonly (readonly [Json, Json])[]) : []
      const byKey = new Map(pairs.map(([key, value]) => [String(key).slice(1), [key, value] as const]))
      for (const [key, value] of Object.entries(one)) {
        const pair = byKey.get(key)
        if (pair?.[0] !== `s${key}`)
          found.add(`key ${JSON.stringify(key)} is read as ${JSON.stringify(pair?.[0])}`)
        if (pair) compare(value, pair[1])
      }
    }
  }
  compare(ours, theirs)
  return found
}
