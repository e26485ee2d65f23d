/**
 * A table of any number of rows, of which only those in sight exist (virtual
 * scrolling): rows that leave at one end are used again at the other. All rows
 * have the same height, and spacers stand for those out of sight.
 */
import { type Child, h, nodesOf } from '../h.ts'
import { morphChildren } from '../morph.ts'

export interface Column<Row> {
  readonly title: string
  readonly draw: (row: Row) => Child
  /** By what rows are sorted: a number, or a text. */
  readonly by?: (row: Row) => string | number
  /** Classes of its cells: `wide` is left out on a phone, `number` is aligned at the right. */
  readonly kind?: string
  /** Its share of the width. */
  readonly width: string
}

export interface TableOptions<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly hrefOf: (row: Row) => string
  /** What to say without rows. */
  readonly none?: string
  /** The column that rows are sorted by first, a minus before its title for the other way around; as they come, unless given. */
  readonly sort?: string
}

/** Rows that exist beyond either edge of the window. */
const SPARE = 8

const collator = new Intl.Collator('en', { numeric: true })

interface Line<Row> {
  readonly element: HTMLTableRowElement
  readonly cells: readonly HTMLTableCellElement[]
  row: Row | undefined
}

export class Table<Row extends object> {
  readonly root: HTMLElement
  readonly #options: TableOptions<Row>
  readonly #table: HTMLTableElement
  readonly #head: HTMLTableRowElement
  readonly #body = h('tbody')
  readonly #before = spacer()
  readonly #after = spacer()
  readonly #none: HTMLElement
  #lines: Line<Row>[] = []
  #first = 0
  #rows: readonly Row[] = []
  #unsorted: readonly Row[] = []
  #sort: string | undefined
  #height = 44
  #isAwaitingFrame = false

  constructor(options: TableOptions<Row>) {
    this.#options = options
    this.#sort = options.sort
    this.#head = h('tr')
    this.#none = h('p', { class: 'none' }, options.none ?? 'There is nothing here.')
    this.#body.append(this.#before, this.#after)
    this.#body.onclick = (event) => this.#follow(event)
    this.#table = h(
      'table',
      { 'aria-label': options.label },
      h(
        'colgroup',
        {},
        options.columns.map(({ width, kind }) => h('col', { class: kind, style: { width } })),
      ),
      h('thead', {}, this.#head),
      this.#body,
    )
    this.root = h('div', { class: 'table' }, this.#table, this.#none)
    this.#drawHead()
    const look = () => this.#lookSoon()
    addEventListener('scroll', look, { passive: true })
    addEventListener('resize', look, { passive: true })
    this.close = () => {
      removeEventListener('scroll', look)
      removeEventListener('resize', look)
    }
  }

  /** Ends it. */
  readonly close: () => void

  /** Shows other rows; the same list is not sorted again. */
  show(rows: readonly Row[]): void {
    if (rows !== this.#unsorted) {
      this.#unsorted = rows
      this.#arrange()
    }
    this.#lookSoon()
  }

  #arrange(): void {
    const descending = this.#sort?.startsWith('-') ?? false
    const title = this.#sort?.replace(/^-/, '')
    const by = this.#options.columns.find((column) => column.title === title)?.by
    this.#rows = by ? sorted(this.#unsorted, by, descending) : this.#unsorted
    this.#table.setAttribute('aria-rowcount', String(this.#rows.length + 1))
    this.#none.hidden = this.#rows.length > 0
    this.#table.hidden = this.#rows.length === 0
  }

  #drawHead(): void {
    const cells = this.#options.columns.map(({ title, by, kind }) => {
      const isSorted = this.#sort?.replace(/^-/, '') === title
      const order = this.#sort?.startsWith('-') ? 'descending' : 'ascending'
      const sort = () => {
        this.#sort = this.#sort === title ? `-${title}` : title
        this.#arrange()
        this.#drawHead()
        this.#lookSoon()
      }
      return h(
        'th',
        { scope: 'col', class: kind, 'aria-sort': isSorted && by ? order : undefined },
        by ? h('button', { type: 'button', onclick: sort }, title) : title,
      )
    })
    morphChildren(this.#head, cells)
  }

  #lookSoon(): void {
    if (this.#isAwaitingFrame) return
    this.#isAwaitingFrame = true
    requestAnimationFrame(() => {
      this.#isAwaitingFrame = false
      if (this.root.isConnected) this.#look()
    })
  }

  /** Makes the rows exist that are in sight. */
  #look(): void {
    this.#height = this.#lines[0]?.element.offsetHeight || this.#height
    const top = this.#table.getBoundingClientRect().top + this.#head.offsetHeight
    const inSight = Math.ceil(innerHeight / this.#height) + 2 * SPARE
    const count = Math.min(inSight, this.#rows.length)
    const first = clamp(Math.floor(-top / this.#height) - SPARE, 0, this.#rows.length - count)
    this.#resize(count)
    this.#turn(first - this.#first)
    this.#first = first
    this.#before.hidden = first === 0
    this.#before.style.height = `${first * this.#height}px`
    const below = this.#rows.length - first - count
    this.#after.hidden = below === 0
    this.#after.style.height = `${below * this.#height}px`
    for (const [at, line] of this.#lines.entries()) this.#fill(line, first + at)
  }

  #resize(count: number): void {
    for (const { element } of this.#lines.splice(count)) element.remove()
    while (this.#lines.length < count) {
      const cells = this.#options.columns.map(({ kind }) => h('td', { class: kind }))
      const line = { element: h('tr', {}, cells), cells, row: undefined }
      this.#lines.push(line)
      this.#after.before(line.element)
    }
  }

  /** Moves rows that are out of sight to the other end, so that the others keep what they show. */
  #turn(by: number): void {
    const { length } = this.#lines
    if (by === 0 || Math.abs(by) >= length) return
    if (by > 0) {
      const moved = this.#lines.splice(0, by)
      this.#after.before(...moved.map(({ element }) => element))
      this.#lines.push(...moved)
    } else {
      const moved = this.#lines.splice(length + by)
      this.#before.after(...moved.map(({ element }) => element))
      this.#lines.unshift(...moved)
    }
  }

  #fill(line: Line<Row>, at: number): void {
    const row = this.#rows[at]
    if (!row || line.row === row) return
    line.row = row
    line.element.setAttribute('aria-rowindex', String(at + 2))
    for (const [column, { draw }] of this.#options.columns.entries()) {
      const cell = line.cells[column]
      if (cell) morphChildren(cell, nodesOf(draw(row)))
    }
  }

  /** A click anywhere in a row is one on its first link. */
  #follow({ target }: MouseEvent): void {
    if (!(target instanceof Element) || target.closest('a, button, input')) return
    if (getSelection()?.isCollapsed === false) return
    const element = target.closest('tr')
    const line = this.#lines.find((one) => one.element === element)
    if (line?.row) location.hash = this.#options.hrefOf(line.row)
  }
}

function spacer(): HTMLTableRowElement {
  return h('tr', { class: 'spacer', 'aria-hidden': 'true', hidden: true })
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most))
}

function sorted<Row>(
  rows: readonly Row[],
  by: (row: Row) => string | number,
  descending: boolean,
): readonly Row[] {
  const keyed = rows.map((row) => [by(row), row] as const)
  keyed.sort(([one], [other]) =>
    typeof one === 'number' && typeof other === 'number'
      ? one - other
      : collator.compare(String(one), String(other)),
  )
  if (descending) keyed.reverse()
  return keyed.map(([, row]) => row)
}
