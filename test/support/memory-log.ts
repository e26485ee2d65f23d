import type { Log } from '../../lib/daemon/log.ts'

/** A log that only remembers: each line is level and message. */
export class MemoryLog implements Log {
  readonly lines: string[] = []

  debug(message: string): void {
    this.lines.push(`DEBUG ${message}`)
  }

  info(message: string): void {
    this.lines.push(`INFO ${message}`)
  }

  warning(message: string): void {
    this.lines.push(`WARNING ${message}`)
  }

  error(message: string): void {
    this.lines.push(`ERROR ${message}`)
  }

  critical(message: string): void {
    this.lines.push(`CRITICAL ${message}`)
  }
}
