/**
 * What a person does to a cluster's file. Each edit leaves a comment of its
 * own, by which it is known whether the file still has it.
 */

import { Failure } from '../../lib/failure.ts'
import type { Random } from '../fuzz/random.ts'
import { parseConfig } from '../support/read-cluster.ts'
import { type Known, knownOf } from './known.ts'

export interface PersonsEdit {
  readonly text: string
  /** What stands in the file from now on. */
  readonly mark: string
  /** Whose comment it is: with this instance it may go. */
  readonly at: string | undefined
  /** What it does to the cluster. */
  readonly apply: (known: Known) => void
}

type Kind = (
  lines: string[],
  known: Known,
  random: Random,
  number: number,
) => Omit<PersonsEdit, 'text' | 'mark'> | undefined

const nothing = () => {}

/** The line in which an instance begins; -1 where it does not begin in a line of its own. */
function lineOf(lines: readonly string[], name: string): number {
  return lines.findIndex((line) => line.startsWith(`  ${name}:`) || line.startsWith(`  "${name}":`))
}

const KINDS: readonly Kind[] = [
  // A comment of an instance, above it.
  (lines, known, random, number) => {
    const name = random.pick(Object.keys(known.instances))
    const line = lineOf(lines, name)
    if (line < 0) return undefined
    lines.splice(line, 0, `  # about it: ${number};`)
    return { at: name, apply: nothing }
  },
  // Quotes around a name, or none.
  (lines, known, random) => {
    const name = random.pick(Object.keys(known.instances))
    const line = lineOf(lines, name)
    const text = lines[line]
    if (text === undefined) return undefined
    lines[line] = text.startsWith('  "') ? text.replace(`"${name}"`, name) : text.replace(name, `"${name}"`)
    return { at: undefined, apply: nothing }
  },
  // Another memory.
  (lines, known, random) => {
    const name = random.pick(Object.keys(known.instances))
    const line = lineOf(lines, name)
    if (line < 0) return undefined
    const memory = 160 + random.below(100)
    for (let next = line; next < lines.length; next++) {
      const text = lines[next] ?? ''
      if (next > line && /^ {0,2}\S/.test(text)) return undefined
      if (!/\bmemory: \d+/.test(text)) continue
      lines[next] = text.replace(/\bmemory: \d+[a-z]?/, `memory: ${memory}`)
      const apply = ({ instances }: Known) => {
        const one = instances[name]
        if (one) one.memory = memory
      }
      return { at: undefined, apply }
    }
    return undefined
  },
  // A new instance.
  (lines, known, _random, number) => {
    const section = lines.findIndex((line) => /^instances:\s*(#.*)?$/.test(line))
    const node = Object.keys(known.nodes)[0]
    if (section < 0 || node === undefined) return undefined
    const name = `person${number}.example.com`
    lines.splice(section + 1, 0, `  ${name}: {pnode: ${node}, os: debian-etch, memory: 128, state: down}`)
    const made = { state: 'down', memory: 128, vcpus: undefined, disks: [], nics: 0, template: 'diskless' }
    const apply = ({ instances }: Known) => {
      instances[name] = { tags: [], ...made, nodes: [node] }
    }
    return { at: undefined, apply }
  },
  // One instance less.
  (lines, known) => {
    const line = lines.findIndex((text) => /^ {2}person\d+\.example\.com: \{.*\}$/.test(text))
    const name = lines[line]?.trim().split(':')[0]
    if (name === undefined || !known.instances[name]) return undefined
    lines.splice(line, 1)
    const apply = ({ instances }: Known) => {
      delete instances[name]
    }
    return { at: undefined, apply }
  },
  // A new node, in the group of another.
  (lines, known, _random, number) => {
    const section = lines.findIndex((line) => /^nodes:\s*(#.*)?$/.test(line))
    const group = Object.values(known.nodes)[0]?.group
    if (section < 0 || group === undefined || Object.keys(known.nodes).length > 8) return undefined
    const name = `rack${number}.example.com`
    lines.splice(
      section + 1,
      0,
      `  ${name}: {group: ${group}, memory: 32g, disk: 2t, cpus: 16, primary_ip: 192.0.3.${(number % 250) + 1}}`,
    )
    const apply = ({ nodes }: Known) => {
      nodes[name] = { tags: [], offline: false, drained: false, group }
    }
    return { at: undefined, apply }
  },
]

/** An edit of a text, which stays a cluster's file. */
export function personsEdit(text: string, random: Random, number: number): PersonsEdit {
  for (let tries = 0; tries < 5; tries++) {
    const known = knownOf(parseConfig(text, { name: 'file' }))
    if (Object.keys(known.instances).length === 0) break
    const lines = text.split('\n')
    const made = random.pick(KINDS)(lines, known, random, number)
    if (!made) continue
    const mark = made.at === undefined ? `# edit ${number};` : `# about it: ${number};`
    if (made.at === undefined) addMark(lines, random, mark)
    const edited = lines.join('\n')
    try {
      parseConfig(edited, { name: 'file' })
    } catch (error) {
      // The cluster does not allow it as it is now.
      if (error instanceof Failure) continue
      throw error
    }
    return { ...made, text: edited, mark }
  }
  const lines = text.split('\n')
  const mark = `# edit ${number};`
  addMark(lines, random, mark)
  return { text: lines.join('\n'), mark, at: undefined, apply: nothing }
}

/** Above everything, or above a section. */
function addMark(lines: string[], random: Random, mark: string): void {
  const sections = lines.flatMap((line, index) =>
    /^(nodes|groups|instances|networks):/.test(line) ? [index] : [],
  )
  lines.splice(random.chance(0.4) ? 0 : random.pick(sections), 0, mark)
}

/** What an editor leaves that was stopped, or a person who has not finished. */
export function brokenText(text: string, random: Random): string {
  return random.pick([`${text}\ninstances: [\n`, `${text}\nno_such_section: {}\n`, `${text}\n\t"`, ''])
}
