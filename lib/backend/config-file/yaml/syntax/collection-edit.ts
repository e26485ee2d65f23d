/** Takes elements out of a collection and puts others in, with the comments that belong to them. */
import type { Splices } from './splices.ts'
import type { TextLines } from './text-lines.ts'
import type { Span } from './yaml-places.ts'

/** New elements behind the one with a place; -1 for the beginning. */
export interface Addition {
  readonly after: number
  readonly texts: readonly string[]
}

export class CollectionEdit {
  readonly #lines: TextLines
  readonly #splices: Splices

  constructor(lines: TextLines, splices: Splices) {
    this.#lines = lines
    this.#splices = splices
  }

  /**
   * @param spans of the elements that are there
   * @param kept whether each of them stays
   */
  change(
    inFlow: boolean,
    spans: readonly Span[],
    kept: readonly boolean[],
    additions: readonly Addition[],
  ): void {
    const some = additions.filter(({ texts }) => texts.length > 0)
    const replaced = kept.includes(true) ? [] : some.flatMap(({ texts }) => texts)
    if (inFlow) this.#changeInFlow(spans, kept, some, replaced)
    else this.#changeInBlock(spans, kept, some, replaced)
  }

  #changeInFlow(
    spans: readonly Span[],
    kept: readonly boolean[],
    additions: readonly Addition[],
    replaced: readonly string[],
  ): void {
    const first = spans[0] as Span
    if (replaced.length > 0) {
      this.#splices.add(first.start, first.end, replaced.join(', '))
      this.#removeInFlow(
        spans,
        kept.map((_, place) => place === 0),
      )
      return
    }
    const stays = [...kept]
    for (const { after, texts } of additions) {
      const before = spans[after]
      const next = spans[after + 1]
      if (next && !kept[after + 1] && !this.#isCommentedOn(next)) {
        // What comes takes the place of what goes.
        this.#splices.add(next.start, next.end, texts.join(', '))
        stays[after + 1] = true
      } else if (before) this.#splices.add(before.end, before.end, `, ${texts.join(', ')}`)
      else {
        const start = (spans[kept.indexOf(true)] as Span).start
        this.#splices.add(start, start, `${texts.join(', ')}, `)
      }
    }
    this.#removeInFlow(spans, stays)
  }

  #removeInFlow(spans: readonly Span[], kept: readonly boolean[]): void {
    for (let place = 0; place < spans.length; place++) {
      if (kept[place]) continue
      let last = place
      while (last + 1 < spans.length && !kept[last + 1]) last++
      const next = spans[last + 1]
      const before = spans[place - 1]
      const from = next || !before ? (spans[place] as Span).start : before.end
      const to = next ? next.start : (spans[last] as Span).end
      // Comments between them may be about others.
      if (this.#lines.text.slice(from, to).includes('#')) {
        for (const span of spans.slice(place, last + 1)) this.#removeAlone(span)
        const comma = next ? undefined : before?.comma
        if (comma !== undefined) this.#splices.add(comma - 1, comma, '')
      } else this.#splices.add(from, to, '')
      place = last
    }
  }

  #isCommentedOn({ start, end }: Span): boolean {
    return this.#lines.text.slice(start, this.#lines.end(end)).includes('#')
  }

  /** An element of a flow collection with its comma, and with the comment beside it where it begins its line. */
  #removeAlone({ start, end, comma }: Span): void {
    const behind = comma ?? end
    const lineStart = this.#lines.start(start)
    const before = this.#lines.text.slice(lineStart, start).trim()
    const lineEnd = this.#lines.end(behind)
    const endsLine = /^\s*(#|$)/.test(this.#lines.text.slice(behind, lineEnd))
    if (before === '' && endsLine) this.#splices.add(lineStart, lineEnd, '')
    else if (/[[{]$/.test(before) && endsLine) {
      const bracket = this.#lines.text.slice(0, start).trimEnd().length
      this.#splices.add(bracket, lineEnd - this.#lines.breakBefore(lineEnd), '')
    } else {
      const from =
        comma === undefined && before !== '' ? this.#lines.text.slice(0, start).trimEnd().length : start
      const to = endsLine ? behind : behind + this.#lines.text.slice(behind, lineEnd).search(/\S/)
      this.#splices.add(from, to, '')
    }
  }

  #changeInBlock(
    spans: readonly Span[],
    kept: readonly boolean[],
    additions: readonly Addition[],
    replaced: readonly string[],
  ): void {
    const first = spans[0] as Span
    const margin = ' '.repeat(this.#lines.column(first.start))
    const isInline = this.#lines.text.slice(this.#lines.start(first.start), first.start).trim() !== ''
    let next = 0
    if (replaced.length > 0) {
      this.#splices.add(first.start, first.end, replaced.join(`\n${margin}`))
      next = 1
    } else {
      for (const { after, texts } of additions) {
        const before = spans[after]
        const at = before
          ? this.#lines.behindOwn(before.end, margin.length)
          : isInline
            ? first.start
            : this.#lines.leadStart(first.start)
        const inline = !before && isInline
        const text = texts.map((one) => (inline ? `${one}\n${margin}` : `${margin}${one}\n`)).join('')
        // The first one goes: what comes takes its place beside the dash.
        if (inline && !kept[0]) {
          this.#splices.add(first.start, first.end, texts.join(`\n${margin}`))
          next = 1
        } else this.#splices.add(at, at, text)
      }
      if (isInline && !kept[0] && next === 0) {
        next = kept.indexOf(true)
        const start = next < 0 ? first.start : (spans[next] as Span).start
        if (next > 0 && !this.#lines.text.slice(first.start, start).includes('#'))
          this.#splices.add(first.start, start, '')
        else {
          // The dash stays, with what else is on its line taken away.
          const dash = this.#lines.text.slice(0, first.start).trimEnd().length
          this.#splices.add(
            dash,
            this.#lines.end(first.end) - this.#lines.breakBefore(this.#lines.end(first.end)),
            '',
          )
          next = 1
        }
      }
    }
    spans.forEach(({ start, end }, place) => {
      if (kept[place] || place < next) return
      const from = this.#lines.leadStart(start)
      const to = this.#lines.behindOwn(end, margin.length)
      this.#splices.add(from, place + 1 < spans.length ? this.#lines.behindBlank(from, to) : to, '')
    })
  }
}
