import { CannotEdit } from './cannot-edit.ts'
import { lineBreakOf, withLineBreaks } from './text-lines.ts'

/** These characters give way to that text. */
interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** Changes of a text, gathered in any order and made at once. */
export class Splices {
  readonly #splices: Splice[] = []

  add(from: number, to: number, text: string): void {
    this.#splices.push({ from, to, text })
  }

  /**
   * The text with all changes made.
   * @throws CannotEdit where two of them overlap
   */
  applied(original: string): string {
    const lineBreak = lineBreakOf(original)
    // What is put in comes before what is taken out at the same place; else in the order they were found.
    this.#splices.sort((a, b) => a.from - b.from || Number(a.to > a.from) - Number(b.to > b.from))
    let text = ''
    let done = 0
    for (const splice of this.#splices) {
      if (splice.from < done) throw new CannotEdit()
      text += original.slice(done, splice.from) + withLineBreaks(splice.text, lineBreak)
      done = splice.to
    }
    return text + original.slice(done)
  }
}
