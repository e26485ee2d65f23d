/**
 * The fields of jobs. A file has no job queue, so nothing ever fills them;
 * they are here for those who ask which there are.
 */
import { cellField, type Field, NO_DATA } from './field.ts'

export const jobFields: readonly Field<never>[] = [
  cellField('id', 'ID', 'number', 'Number of the job', () => NO_DATA),
  cellField('status', 'Status', 'text', 'How far the job is', () => NO_DATA),
  cellField('priority', 'Priority', 'number', 'Jobs of a lower number go first (-20 to 19)', () => NO_DATA),
  cellField('archived', 'Archived', 'bool', 'Whether the job has left the queue', () => NO_DATA),
  cellField('ops', 'OpCodes', 'other', 'The opcodes of the job', () => NO_DATA),
  cellField('opresult', 'OpCode_result', 'other', 'What each opcode gave', () => NO_DATA),
  cellField('opstatus', 'OpCode_status', 'other', 'How far each opcode is', () => NO_DATA),
  cellField('oplog', 'OpCode_log', 'other', 'What each opcode has logged', () => NO_DATA),
  cellField(
    'opstart',
    'OpCode_start',
    'other',
    'When each opcode began to wait for its locks',
    () => NO_DATA,
  ),
  cellField('opexec', 'OpCode_exec', 'other', 'When each opcode got its locks', () => NO_DATA),
  cellField('opend', 'OpCode_end', 'other', 'When each opcode ended', () => NO_DATA),
  cellField('oppriority', 'OpCode_prio', 'other', 'Priority of each opcode', () => NO_DATA),
  cellField('summary', 'Summary', 'other', 'Each opcode in a few words', () => NO_DATA),
  cellField('received_ts', 'Received', 'other', 'When the job came in: seconds, microseconds', () => NO_DATA),
  cellField('start_ts', 'Start', 'other', 'When the job started: seconds, microseconds', () => NO_DATA),
  cellField('end_ts', 'End', 'other', 'When the job ended: seconds, microseconds', () => NO_DATA),
]
