/**
 * One opcode on its way through: the cluster it meets, its parameters, and
 * what it tells in the job's log. Operations are written against this
 * rather than the bare opcode, so that each reads as the story of what it does.
 *
 * Parameters that are absent or of another type count as null, false or empty:
 * opcodes were checked and completed before they came here.
 */
import { isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import type { Change } from '../../../../model/change.ts'
import type { Config } from '../../../../model/config.ts'
import { type Context, OpError, type Operation, type Outcome } from './operation.ts'

export class Run {
  readonly config: Config
  readonly context: Context
  readonly opcode: JsonObject
  /** What has been told so far. */
  readonly log: string[] = []

  constructor(config: Config, opcode: JsonObject, context: Context) {
    this.config = config
    this.opcode = opcode
    this.context = context
  }

  flag(name: string): boolean {
    return this.opcode[name] === true
  }

  text(name: string): string | null {
    const value = this.opcode[name]
    return typeof value === 'string' ? value : null
  }

  number(name: string): number | null {
    const value = this.opcode[name]
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null
  }

  object(name: string): JsonObject {
    const value = this.opcode[name]
    return isJsonObject(value) ? value : {}
  }

  list(name: string): readonly Json[] {
    const value = this.opcode[name]
    return Array.isArray(value) ? value : []
  }

  /** Whether the opcode shall only be checked. */
  get isDry(): boolean {
    return this.flag('dry_run')
  }

  say(text: string): void {
    this.log.push(text)
  }

  info(text: string): void {
    this.log.push(` - INFO: ${text}`)
  }

  warn(text: string): void {
    this.log.push(` - WARNING: ${text}`)
  }

  /** The end of a dry run, once everything has been checked. */
  dryRun(result: Json = null): Outcome {
    this.info('dry-run mode requested, not actually executing the operation')
    return this.done({}, result)
  }

  done(change: Change, result: Json = null): Outcome {
    return { change, result, log: this.log }
  }
}

/** Makes an Operation; a refusal takes along what had been told before it. */
export function operation(execute: (run: Run) => Outcome): Operation {
  return (config, opcode, context) => {
    const run = new Run(config, opcode, context)
    try {
      return execute(run)
    } catch (error) {
      if (!(error instanceof OpError) || run.log.length === 0) throw error
      throw new OpError(error.kind, error.args, run.log)
    }
  }
}
