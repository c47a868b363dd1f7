import { TokenmeshError } from '../errors/error.ts';

/** What the exit codes of the operator's command say. */
export const EXIT_CODES = {
  0: 'done; of what was checked, all held',
  1: 'something did not hold or was not done, or nothing is running',
  2: 'wrong use: whatever runs, this cannot be done',
  130: 'a command that goes on until Ctrl-C was ended by it',
} as const;

export const EXIT_NOT_HELD = 1;
export const EXIT_WRONG_USE = 2;

/** What was asked cannot be done by anybody, whatever runs. */
export const WRONG_USE: ReadonlySet<string> = new Set([
  'ERR_NODE_UNKNOWN',
  'ERR_REGION_UNKNOWN',
  'ERR_EDGE_UNKNOWN',
  'ERR_KEY_OWNER_NAME',
  'ERR_SHRED_UNCONFIRMED',
  'ERR_REVOKE_UNCONFIRMED',
  'ERR_CHECK_UNKNOWN',
  'ERR_KEY_VERSION_ACTIVE',
  'ERR_KEY_MATERIAL_LENGTH',
  'ERR_KMS_KEY_UNNAMED',
  'ERR_MATERIAL_DELETION_UNCONFIRMED',
  'ERR_MATERIAL_EXPIRY',
  'ERR_EDGE_SETTINGS',
  'ERR_COLUMNS_UNCLEAR',
  'ERR_FILE_UNREADABLE',
]);

export function exitCodeOf(error: unknown): typeof EXIT_NOT_HELD | typeof EXIT_WRONG_USE {
  return error instanceof TokenmeshError && WRONG_USE.has(error.code) ? EXIT_WRONG_USE : EXIT_NOT_HELD;
}
