/**
 * The archive: jobs that have left the queue, one a line, in a file that is
 * rotated when it is full. They are in memory until `write`.
 */
import { open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** An archive is full when the next line would make it larger than this, in bytes; there are at most two. */
const MOST_BYTES = 16 * 2 ** 20

export class Archive {
  readonly #path: string
  readonly #sync: boolean
  #lines: string[] = []
  #length = 0

  /** @param sync whether to wait for the disk */
  constructor(folder: string, sync: boolean) {
    this.#path = join(folder, 'archive')
    this.#sync = sync
  }

  /** How many characters are yet to be written. */
  get length(): number {
    return this.#length
  }

  add(line: string): void {
    this.#lines.push(line)
    this.#length += line.length
  }

  /** Appends what was added, and begins another file where one is full. */
  async write(): Promise<void> {
    const path = this.#path
    while (this.#lines.length > 0) {
      const size = await sizeOf(path)
      const count = fitting(this.#lines, MOST_BYTES - size)
      if (count === 0 && size > 0) {
        await rename(path, `${path}.1`)
        continue
      }
      // A line that is larger than any archive has one of its own.
      const lines = this.#lines.slice(0, Math.max(count, 1))
      await this.#append(lines.join(''))
      this.#lines = this.#lines.slice(lines.length)
    }
    this.#length = 0
  }

  async #append(text: string): Promise<void> {
    const file = await open(this.#path, 'a', 0o640)
    try {
      await file.appendFile(text)
      if (this.#sync) await file.sync()
    } finally {
      await file.close()
    }
  }
}

/** In bytes; 0 where there is no such file. */
async function sizeOf(path: string): Promise<number> {
  const stats = await stat(path).catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return stats?.size ?? 0
}

/** How many of the first lines go into so many bytes. */
function fitting(lines: readonly string[], bytes: number): number {
  let left = bytes
  const over = lines.findIndex((line) => {
    left -= Buffer.byteLength(line)
    return left < 0
  })
  return over < 0 ? lines.length : over
}
