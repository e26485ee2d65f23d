/**
 * What can go wrong, independent of HTTP.
 *
 * Lower layers throw a Failure with a code; `http/status.ts` maps codes to
 * statuses, and `main.ts` prints a Failure of the start in one line. Anything
 * thrown that is not a Failure is a bug of ours: the client gets only the
 * standard 500 phrase, the log gets the whole chain of causes.
 */
import { getSystemErrorMap } from 'node:util'

export type FailureCode =
  /** The named object does not exist. */
  | 'not-found'
  /** The request itself is wrong: an argument, a filter, a body. */
  | 'invalid'
  /** The request is valid, but its answer would exceed the limit. */
  | 'too-large'
  /** No user may do this through this API. */
  | 'forbidden'
  /** What was asked cannot be done in the present state, but could later. */
  | 'unavailable'
  /** No process listens on the master daemon's socket. */
  | 'no-master'
  /** The master daemon did not answer in time. */
  | 'no-answer'
  /** The master daemon's answer cannot be parsed, or is incomplete. */
  | 'bad-answer'
  /** This backend cannot do it at all. */
  | 'unsupported'
  /** A file or setting the daemon needs is missing or wrong. */
  | 'configuration'
  /** An internal error, whose text may be shown to clients. */
  | 'internal'

export class Failure extends Error {
  override readonly name = 'Failure'
  /** What the operator can do about it, for the log and the terminal: never for clients. */
  readonly nextStep: string | undefined

  /**
   * @param code what kind of failure this is
   * @param message for the client or the operator: what is wrong, where, and what to do; never a secret, and no file's path unless the code is `configuration`
   * @param options `cause`: what was caught, for the log; `nextStep`
   */
  constructor(
    readonly code: FailureCode,
    message: string,
    { nextStep, ...options }: ErrorOptions & { readonly nextStep?: string | undefined } = {},
  ) {
    super(message, options)
    this.nextStep = nextStep
  }
}

/**
 * Gives the reason of a system error, in words for clients: the error's own
 * message names files, which only the operator may see.
 * @returns undefined if neither this nor any cause of it is a system error
 */
export function systemReason(thrown: unknown): string | undefined {
  let current = thrown
  for (let depth = 0; current instanceof Error && depth < 10; depth++) {
    const { errno } = current as NodeJS.ErrnoException
    const [, reason] = (errno !== undefined && getSystemErrorMap().get(errno)) || []
    if (reason !== undefined) return reason
    current = current.cause
  }
  return undefined
}

/**
 * Gives the message of anything thrown, followed by those of its causes, and by
 * the next step if one of them knows it: one line, but for a list of mistakes in a file.
 */
export function messageChain(thrown: unknown): string {
  const messages: string[] = []
  let nextStep: string | undefined
  for (let current = thrown; current !== undefined && messages.length < 10; ) {
    messages.push(current instanceof Error ? plainMessage(current, messages) : String(current))
    if (current instanceof Failure) nextStep ??= current.nextStep
    current = current instanceof Error ? current.cause : undefined
  }
  const text = messages.join(': ')
  return nextStep === undefined ? text : `${text}; ${nextStep}`
}

/** The message of an error; a system error's without the names that the messages before it have. */
function plainMessage(error: NodeJS.ErrnoException, before: readonly string[]): string {
  const [code, reason] = (error.errno !== undefined && getSystemErrorMap().get(error.errno)) || []
  if (reason === undefined || before.length === 0) return error.message
  const { path } = error
  const isSaid = path === undefined || before.some((message) => message.includes(path))
  return `${reason} (${code})${isSaid ? '' : `: ${path}`}`
}

/**
 * Like `messageChain`, split into lines, for the log.
 * @param head what the first line begins with
 */
export function messageLines(thrown: unknown, head = ''): readonly string[] {
  return `${head}${messageChain(thrown)}`.split('\n')
}
