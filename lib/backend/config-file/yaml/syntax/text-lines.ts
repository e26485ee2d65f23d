/** A text by its lines: where they begin and end, and which comments and empty lines belong to an element. */

/** The spaces before the first key of a text. */
export function marginOf(text: string): string {
  return /^( *)[^\s#]/m.exec(text)?.[1] ?? ''
}

export function lineBreakOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n'
}

export function withLineBreaks(text: string, lineBreak: string): string {
  return lineBreak === '\n' ? text : text.replaceAll('\n', lineBreak)
}

/** Where a line begins; a mark of the order of bytes, which may come first, is no part of it. */
function lineStart(text: string, offset: number): number {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  return start === 0 && text.startsWith('\ufeff') ? 1 : start
}

/** Where the line of an offset begins, or the first of the comments right above it in the same column. */
export function leadStart(text: string, offset: number): number {
  let start = lineStart(text, offset)
  const margin = text.slice(start, offset)
  if (margin.trim() !== '') return start
  while (start > 0) {
    const above = lineStart(text, start - 1)
    if (above >= start || !text.startsWith(`${margin}#`, above)) break
    start = above
  }
  return start
}

/** Offsets are in characters of the text, from 0. */
export class TextLines {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** Behind the line of an element's end, and behind comments that stand below it and further in than it. */
  behindOwn(end: number, column: number): number {
    const comments = new RegExp(`(?:(?:[ \\t]*\\r?\\n)*[ ]{${column + 1},}#.*(?:\\r?\\n|$))*`, 'y')
    comments.lastIndex = this.end(end)
    comments.test(this.text)
    return comments.lastIndex
  }

  /** Behind the empty lines that follow, where there are some before `from` too, or a line of what stands around. */
  behindBlank(from: number, to: number): number {
    const column = this.text.slice(from, to).search(/\S/)
    const above = this.text.slice(this.text.lastIndexOf('\n', from - 2) + 1, from)
    const isApart = above.trim() === '' || above.search(/\S/) < column
    return isApart ? to + (/^([ \t]*\r?\n)*/.exec(this.text.slice(to))?.[0].length ?? 0) : to
  }

  /** Where the line begins, or the first of the comments right above it in the same column. */
  leadStart(offset: number): number {
    return leadStart(this.text, offset)
  }

  start(offset: number): number {
    return lineStart(this.text, offset)
  }

  /** Behind the line break that ends the line. */
  end(offset: number): number {
    const end = this.text.indexOf('\n', offset)
    return end < 0 ? this.text.length : end + 1
  }

  breakBefore(offset: number): number {
    return /\r?\n$/.exec(this.text.slice(Math.max(0, offset - 2), offset))?.[0].length ?? 0
  }

  column(offset: number): number {
    return offset - this.start(offset)
  }

  /** Whether nothing but a comment follows in a line, and where that line ends. */
  commentAt(offset: number): { line: number; comment: boolean } {
    const end = this.end(offset)
    const line = end - this.breakBefore(end)
    return { line, comment: /^[ \t]+#/.test(this.text.slice(offset, line)) }
  }
}
