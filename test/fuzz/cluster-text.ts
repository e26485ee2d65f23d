/**
 * Cluster files as people might write them: the same plan in styles of all
 * kinds, with comments wherever YAML lets them stand. Every comment has a
 * number of its own, so that it can be found again.
 */
import { parseDocument } from 'yaml'
import type { Plan } from './cluster-plan.ts'
import type { Random } from './random.ts'

interface Style {
  readonly eol: string
  readonly indent: number
  /** How far lists stand in from their key. */
  readonly listIndent: number
  readonly comments: number
  readonly blanks: number
  /** How likely a value is in braces, by depth. */
  readonly flow: readonly number[]
  readonly quotes: number
  readonly anchors: number
  readonly oddities: number
  readonly yaml11: boolean
}

/** Where a value is written out and may be referred to. */
interface Anchored {
  readonly plan: Plan
  readonly anchor: string
}

/** The text of a plan. */
export function writePlan(random: Random, plan: ReadonlyMap<string, Plan>): string {
  return new Writer(random, styleOf(random)).file(plan)
}

function styleOf(random: Random): Style {
  const indent = 1 + random.below(4)
  return {
    eol: random.chance(0.2) ? '\r\n' : '\n',
    indent,
    listIndent: random.chance(0.4) ? 0 : random.chance(0.8) ? indent : 1 + random.below(4),
    comments: random.pick([0, 0.1, 0.3, 0.6]),
    blanks: random.pick([0, 0.05, 0.3]),
    flow: random.pick([
      [0, 0, 0.1, 0.4, 0.8, 1],
      [0, 0, 0.5, 0.8, 1, 1],
      [0, 0.3, 0.3, 0.3, 0.6, 1],
      [0, 0, 0, 0, 0, 0.3],
    ]),
    quotes: random.pick([0, 0.1, 0.5]),
    anchors: random.pick([0, 0, 0.2, 0.6]),
    oddities: random.pick([0, 0, 0.02, 0.06]),
    yaml11: random.chance(0.03),
  }
}

const MERGE = Symbol('<<')
type Entry = readonly [key: string | typeof MERGE, value: Plan | string]

class Writer {
  readonly #random: Random
  readonly #style: Style
  readonly #anchored: Anchored[] = []
  #comments = 0
  #anchors = 0

  constructor(random: Random, style: Style) {
    this.#random = random
    this.#style = style
  }

  file(plan: ReadonlyMap<string, Plan>): string {
    const random = this.#random
    const lines: string[] = []
    const directives: string[] = []
    if (this.#style.yaml11) directives.push('%YAML 1.1')
    else if (random.chance(0.03)) directives.push('%YAML 1.2')
    if (random.chance(0.03)) directives.push('%TAG !y! tag:yaml.org,2002:')
    if (random.chance(this.#style.comments)) lines.push(this.#comment())
    lines.push(...directives)
    if (directives.length > 0 || random.chance(0.25)) lines.push(`---${this.#beside()}`)
    lines.push(...this.#above(0))
    if (random.chance(0.03)) lines.push(...this.#flowLines(plan, 0, '').split('\n'))
    else lines.push(...this.#block(plan, 0, 0))
    if (random.chance(this.#style.comments)) lines.push('', this.#comment())
    if (random.chance(0.1)) {
      lines.push(`...${this.#beside()}`)
      if (random.chance(0.5)) lines.push(this.#comment())
    }
    const end = random.chance(0.9) ? '\n' : ''
    return `${lines.join('\n')}${end}`.replaceAll('\n', this.#style.eol)
  }

  // Comments

  #comment(): string {
    const words = this.#random.pick([
      '',
      ' see: below',
      ' - item',
      ' "quoted',
      ' {',
      " it's",
      ' *x',
      ' old: value',
    ])
    return `#${this.#random.chance(0.9) ? ' ' : ''}c${++this.#comments}.${words}`
  }

  #beside(): string {
    if (!this.#random.chance(this.#style.comments / 2)) return ''
    return `${' '.repeat(1 + this.#random.below(4))}${this.#comment()}`
  }

  /** Lines that may stand above something. */
  #above(column: number): string[] {
    const random = this.#random
    const lines: string[] = []
    if (random.chance(this.#style.blanks)) lines.push(random.chance(0.1) ? '  ' : '')
    if (random.chance(this.#style.comments / 2)) {
      const at = random.chance(0.9) ? column : random.below(8)
      lines.push(`${' '.repeat(at)}${this.#comment()}`)
      if (random.chance(0.2)) lines.push(`${' '.repeat(at)}${this.#comment()}`)
      if (random.chance(this.#style.blanks / 2)) lines.push('')
    }
    return lines
  }

  // Blocks

  /** The lines of an object or a list whose parts begin in a column; `first` may follow something in its line. */
  #block(plan: ReadonlyMap<string, Plan> | readonly Plan[], column: number, depth: number): string[] {
    return Array.isArray(plan)
      ? this.#blockList(plan, column, depth)
      : this.#blockMap(this.#entries(plan as ReadonlyMap<string, Plan>, depth), column, depth)
  }

  #blockMap(entries: readonly Entry[], column: number, depth: number): string[] {
    const random = this.#random
    const lines: string[] = []
    const margin = ' '.repeat(column)
    for (const [index, [key, value]] of entries.entries()) {
      if (index > 0 || depth === 0) lines.push(...this.#above(column))
      if (key === MERGE) {
        lines.push(`${margin}<<: ${value}${this.#beside()}`)
        continue
      }
      const written = this.#key(key, false)
      const explicit = random.chance(this.#style.oddities) || written.length > 1000
      if (explicit) {
        lines.push(`${margin}? ${written}${this.#beside()}`)
        if (random.chance(this.#style.comments / 3)) lines.push(`${margin}${this.#comment()}`)
        lines.push(...this.#after(`${margin}:`, value as Plan, column, depth, false))
      } else {
        const space = random.chance(0.03) && !written.endsWith(':') ? ' ' : ''
        lines.push(...this.#after(`${margin}${written}${space}:`, value as Plan, column, depth, false))
      }
    }
    if (depth > 0 && random.chance(this.#style.comments / 6)) lines.push(`${margin}${this.#comment()}`)
    return lines
  }

  #blockList(items: readonly Plan[], column: number, depth: number): string[] {
    const lines: string[] = []
    for (const [index, item] of items.entries()) {
      if (index > 0) lines.push(...this.#above(column))
      lines.push(...this.#after(`${' '.repeat(column)}-`, item, column, depth, true))
    }
    if (this.#random.chance(this.#style.comments / 6)) lines.push(`${' '.repeat(column)}${this.#comment()}`)
    return lines
  }

  /** The lines of a value behind what begins it: a key with its colon, or a dash. */
  #after(begin: string, plan: Plan, column: number, depth: number, item: boolean): string[] {
    const alias = this.#alias(plan)
    if (alias) return [`${begin} ${alias}${this.#beside()}`]
    const anchor = this.#anchor(plan, depth)
    const tag = this.#tag(plan)
    const properties = `${anchor ? ` &${anchor}` : ''}${tag}`
    const lines = this.#written(`${begin}${properties}`, properties !== '', plan, column, depth, item)
    if (anchor) this.#anchored.push({ plan, anchor })
    return lines
  }

  #written(
    begin: string,
    proper: boolean,
    plan: Plan,
    column: number,
    depth: number,
    item: boolean,
  ): string[] {
    const random = this.#random
    const inner = column + this.#indent()
    const isList = Array.isArray(plan)
    if (isList || plan instanceof Map) {
      const size = isList ? plan.length : plan.size
      const flow = size === 0 || random.chance(this.#style.flow[Math.min(depth, 5)] as number)
      if (flow) {
        const own = random.chance(0.05)
        const text = this.#flowLines(plan as never, depth + 1, ' '.repeat(inner))
        const begun = own
          ? [`${begin}${this.#beside()}`, ...`${' '.repeat(inner)}${text}`.split('\n')]
          : `${begin} ${text}`.split('\n')
        return [...begun.slice(0, -1), `${begun.at(-1)}${this.#beside()}`]
      }
      const inList = item ? inner : column + this.#style.listIndent
      const at = isList ? inList : inner
      const ownLine = !item || proper || random.chance(0.15)
      if (ownLine) {
        return [`${begin}${this.#beside()}`, ...this.#above(at), ...this.#block(plan as never, at, depth + 1)]
      }
      // What follows a dash in its line stands as far in as it begins.
      const gap = random.chance(0.85) ? 1 : 1 + random.below(3)
      const place = begin.length + gap
      const [first = '', ...others] = this.#block(plan as never, place, depth + 1)
      return [`${begin}${' '.repeat(gap)}${first.slice(place)}`, ...others]
    }
    return this.#scalarLines(begin, plan as string | number | boolean | null, inner, item)
  }

  #indent(): number {
    return this.#random.chance(0.05) ? 1 + this.#random.below(4) : this.#style.indent
  }

  #scalarLines(
    begin: string,
    value: string | number | boolean | null,
    column: number,
    item: boolean,
  ): string[] {
    const random = this.#random
    const margin = ' '.repeat(column)
    const blockable =
      typeof value === 'string' &&
      /^(?![\s#])[\n\x20-\x7e\xa1-\u2027\u202f-\ufefe]*$/.test(value) &&
      !/\n$| $| \n/.test(value)
    if (blockable && random.chance(0.08)) {
      const literal = value.includes('\n') || random.chance(0.6)
      const body = value.split('\n').map((line) => (line === '' ? '' : `${margin}${line}`))
      return [`${begin} ${literal ? '|' : '>'}-${this.#beside()}`, ...body]
    }
    const text = this.#scalar(value, false)
    if (random.chance(0.03)) return [`${begin}${this.#beside()}`, `${margin}${text}${this.#beside()}`]
    if (text === '') return [`${begin}${this.#beside()}`]
    // A quoted text may go on in another line, where there is one space.
    const cut = /^".*[^ \\] [^ ].*"$/.test(text) && random.chance(0.2) ? text.search(/[^ \\] [^ ]/) + 1 : 0
    if (cut > 0 && !item)
      return [`${begin} ${text.slice(0, cut)}`, `${margin}${text.slice(cut + 1)}${this.#beside()}`]
    return [`${begin} ${text}${this.#beside()}`]
  }

  // Braces

  /** A value in braces, or a scalar in them, perhaps over several lines. */
  #flowLines(plan: Plan | ReadonlyMap<string, Plan>, depth: number, margin: string): string {
    const random = this.#random
    const isList = Array.isArray(plan)
    if (!isList && !(plan instanceof Map)) return this.#scalar(plan as string | number | boolean | null, true)
    const [open, close] = isList ? ['[', ']'] : ['{', '}']
    const broken = random.chance(0.15)
    const parts: string[] = isList
      ? (plan as Plan[]).map((one) => this.#flowValue(one, depth, margin))
      : this.#entries(plan as ReadonlyMap<string, Plan>, depth).map(([key, value]) =>
          key === MERGE
            ? `<<: ${value}`
            : `${this.#key(key, true)}: ${this.#flowValue(value as Plan, depth, margin)}`,
        )
    const pad = random.chance(0.2) ? ' ' : ''
    if (!broken)
      return parts.length === 0 ? `${open}${pad}${close}` : `${open}${pad}${parts.join(', ')}${pad}${close}`
    const inner = `${margin}${' '.repeat(random.below(3))}`
    const lines: string[] = [`${open}${this.#beside()}`]
    parts.forEach((part, index) => {
      if (random.chance(this.#style.comments / 2)) lines.push(`${inner}${this.#comment()}`)
      const comma = index < parts.length - 1 || random.chance(0.3) ? ',' : ''
      lines.push(`${inner}${part}${comma}${this.#beside()}`)
    })
    if (random.chance(this.#style.comments / 2)) lines.push(`${inner}${this.#comment()}`)
    lines.push(`${margin}${close}`)
    return lines.join('\n')
  }

  #flowValue(plan: Plan, depth: number, margin: string): string {
    const alias = this.#alias(plan)
    if (alias) return `${alias} `
    const anchor = this.#anchor(plan, depth)
    const text = this.#flowLines(plan, depth + 1, margin)
    if (anchor) this.#anchored.push({ plan, anchor })
    return `${anchor ? `&${anchor} ` : ''}${text}`
  }

  // Anchors

  #alias(plan: Plan): string | undefined {
    if (plan === null || !this.#random.chance(this.#style.anchors)) return undefined
    const wanted = fingerprint(plan)
    const found = this.#anchored.find((one) => fingerprint(one.plan) === wanted)
    return found && `*${found.anchor}`
  }

  #anchor(plan: Plan, depth: number): string | undefined {
    const chance = plan instanceof Map ? 1 : Array.isArray(plan) ? 0.5 : 0.15
    if (depth === 0 || !this.#random.chance(this.#style.anchors * chance)) return undefined
    const again = this.#random.chance(0.1) ? this.#anchored.findIndex(() => this.#random.chance(0.3)) : -1
    // A name that is given again stands for what it is given to from there on.
    if (again >= 0) return (this.#anchored.splice(again, 1)[0] as Anchored).anchor
    return `${this.#random.pick(['a', 'hw', 'x-', 'ä', 'A_'])}${++this.#anchors}`
  }

  /** What stands in an object: all of it, or what is left of it besides what it merges. */
  #entries(plan: ReadonlyMap<string, Plan>, depth: number): readonly Entry[] {
    const random = this.#random
    const all: Entry[] = [...plan]
    if (depth === 0 || !random.chance(this.#style.anchors)) return all
    const fitting = this.#anchored.filter(
      (one) =>
        one.plan instanceof Map && one.plan.size > 1 && [...one.plan.keys()].every((key) => plan.has(key)),
    )
    if (fitting.length === 0) return all
    const sources = random.several(random.chance(0.3) ? 2 : 1, () => random.pick(fitting))
    const merged = new Map<string, Plan>()
    for (const { plan: source } of sources) {
      for (const [key, value] of source as Map<string, Plan>) if (!merged.has(key)) merged.set(key, value)
    }
    const own = all.filter(
      ([key, value]) =>
        !merged.has(key as string) ||
        fingerprint(merged.get(key as string) as Plan) !== fingerprint(value) ||
        random.chance(0.05),
    )
    const names = sources.map(({ anchor }) => `*${anchor}`)
    const value = names.length > 1 || random.chance(0.1) ? `[${names.join(', ')}]` : `${names[0]} `
    const at = random.chance(0.8) ? 0 : random.below(own.length + 1)
    return [...own.slice(0, at), [MERGE, value] as const, ...own.slice(at)]
  }

  #tag(plan: Plan): string {
    if (!this.#random.chance(this.#style.oddities / 2)) return ''
    if (plan instanceof Map) return ' !!map'
    if (Array.isArray(plan)) return ' !!seq'
    return typeof plan === 'string' ? ' !!str' : ''
  }

  // Words

  #key(key: string, flow: boolean): string {
    return this.#scalar(key, flow, true)
  }

  #scalar(value: string | number | boolean | null, flow: boolean, isKey = false): string {
    const random = this.#random
    if (value === null) return flow ? 'null' : random.pick(['', '~', 'null'])
    if (typeof value !== 'string') return String(value)
    const plain = isPlain(value, flow, isKey, this.#style.yaml11)
    if (plain && !random.chance(this.#style.quotes)) return value
    if (random.chance(0.4) && /^[\x20-\x7e\xa1-\ud7ff]*$/.test(value) && !/[\u2028\u2029\u0085]/.test(value))
      return `'${value.replaceAll("'", "''")}'`
    return JSON.stringify(value).replace(
      /[\x7f-\x9f\u2028\u2029\ufeff]/g,
      (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  }
}

/** Whether a text may stand without quotes, and is still text. */
function isPlain(value: string, flow: boolean, isKey: boolean, yaml11: boolean): boolean {
  if (!/^[\w./ü+-][\w.:/@üö +-]*$/.test(value) || /: |:$| $|^-+( |$)|^\.\.\.$/.test(value)) return false
  if (flow && value.includes(':')) return false
  if (value === '<<') return false
  if (isKey) return /^\w[\w.-]*$/.test(value) && value !== 'null' && !yaml11
  if (yaml11 && !/^[a-z]{2,}[\w./-]*$/.test(value)) return false
  const known = PLAIN_TEXTS[yaml11 ? 'yaml11' : 'yaml12']
  const isText =
    known.get(value) ?? parseDocument(value, { version: yaml11 ? '1.1' : '1.2' }).toJS() === value
  known.set(value, isText)
  return isText
}

const PLAIN_TEXTS = { yaml11: new Map<string, boolean>(), yaml12: new Map<string, boolean>() }

function fingerprint(plan: Plan): string {
  return JSON.stringify(plan, (_, value) => (value instanceof Map ? { map: [...value] } : value))
}
