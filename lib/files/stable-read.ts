/**
 * Reads a file that another process may be writing, and avoids reading a
 * half-written state (debounce).
 *
 * Some writers replace the file atomically by a rename; others truncate it and
 * write it in place, or remove it and make a new one. In between it is empty,
 * cut short or missing. So a reading is accepted only if
 *
 * - the file is the same before and after reading, and has the length that it claims, and
 * - it has not changed for a while: longer if it is empty or missing, as that is
 *   how rewriting begins.
 *
 * Otherwise the file is read again. How long it has not changed follows from its
 * change time, so an old file is read once, without a wait; and from our own
 * clock, for files whose times are another machine's. A file that changes all
 * the time is accepted once two of its states, both not empty, are equal.
 */
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { identityOf } from './file-identity.ts'

export interface StableFile {
  readonly bytes: Buffer
  /** Attributes of the file, the same before and after reading. */
  readonly stats: BigIntStats
}

export interface StableReadOptions {
  /** Refuse a larger file; in bytes. */
  readonly largest?: number
  /** Refuse anything but a regular file, without waiting for the writer of a pipe. */
  readonly regularOnly?: boolean
}

/** How long a file must not have changed before it is accepted, in milliseconds. */
const QUIET = 50
/** The same for a file that is empty or missing. */
const QUIET_WITHOUT_CONTENT = 200
/** The pause before reading again a file that changed while it was read, in milliseconds. */
const RETRY = 10
/** After this time, two equal states are accepted; after twice this time, reading fails. In milliseconds. */
const PATIENCE = 2000

/** How much to read at once, in bytes. */
const CHUNK = 512 * 1024

/** The result of one attempt. */
type Reading =
  | { readonly kind: 'file'; readonly identity: string; readonly changed: number; readonly file: StableFile }
  | { readonly kind: 'missing'; readonly identity: string; readonly changed: number; readonly error: unknown }
  | { readonly kind: 'moving' }
  /** For example a pipe, which can be read only once. */
  | { readonly kind: 'stream'; readonly file: StableFile }

/**
 * Reads a whole file.
 * @throws the system error, `ENOENT` only once the file has been missing for a while; and an Error
 *   if the file is too large, not a regular one, or still changing after four seconds
 */
export async function readStable(path: string, options: StableReadOptions = {}): Promise<StableFile> {
  const begin = performance.now()
  let seen: string | undefined
  let seenSince = begin
  let earlier: Buffer | undefined
  for (;;) {
    const now = performance.now()
    const wallClock = Date.now()
    const reading = await readOnce(path, options)
    if (reading.kind === 'stream') return reading.file
    let wait = RETRY
    if (reading.kind === 'moving') {
      seen = undefined
    } else {
      const isNew = reading.identity !== seen
      if (isNew) {
        seen = reading.identity
        seenSince = now
      }
      const { kind } = reading
      const hasContent = kind === 'file' && reading.file.bytes.length > 0
      const quiet = Math.max(wallClock - reading.changed, now - seenSince)
      const missing = (hasContent ? QUIET : QUIET_WITHOUT_CONTENT) - quiet
      if (missing <= 0) {
        if (kind === 'missing') throw reading.error
        return reading.file
      }
      if (hasContent && isNew) {
        if (now - begin > PATIENCE && earlier?.equals(reading.file.bytes)) return reading.file
        earlier = reading.file.bytes
      }
      wait = Math.ceil(missing)
    }
    if (performance.now() - begin > 2 * PATIENCE) throw new Error('it is being written all the time')
    await delay(wait)
  }
}

async function readOnce(path: string, options: StableReadOptions): Promise<Reading> {
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | (options.regularOnly ? constants.O_NONBLOCK : 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    // The folder's change time says since when it is missing; without a folder, there is nothing to wait for.
    const folder = await stat(dirname(path)).catch(() => undefined)
    return { kind: 'missing', identity: 'missing', changed: folder?.mtimeMs ?? 0, error }
  }
  try {
    const stats = await handle.stat({ bigint: true })
    if (!stats.isFile()) {
      if (options.regularOnly) throw new Error('it is not a regular file')
      return { kind: 'stream', file: { bytes: await readBounded(handle, options.largest), stats } }
    }
    const bytes = await readBounded(handle, options.largest)
    const identity = identityOf(stats)
    // Files in /proc and the like have size 0.
    const whole = stats.size === 0n || stats.size === BigInt(bytes.length)
    if (!whole || identityOf(await handle.stat({ bigint: true })) !== identity) return { kind: 'moving' }
    return { kind: 'file', identity, changed: Number(stats.ctimeNs / 1_000_000n), file: { bytes, stats } }
  } finally {
    await handle.close()
  }
}

/** Reads to the end, regardless of the size that the file claims to have. */
async function readBounded(handle: FileHandle, largest = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of handle.createReadStream({
    autoClose: false,
    end: largest,
    highWaterMark: CHUNK,
  })) {
    chunks.push(chunk)
    size += chunk.length
  }
  if (size > largest) throw new Error(`it is larger than ${largest / 1024} KiB`)
  return Buffer.concat(chunks)
}
