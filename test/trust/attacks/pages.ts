import { API_ATTACKS, IDENTITY_ATTACKS } from './api-attacks.ts';
import type { AttackRow } from './attack.ts';
import { CERTIFICATE_ATTACKS } from './certificate-attacks.ts';
import { HTTP2_ATTACKS, HTTP_ATTACKS } from './http-attacks.ts';
import { IMPOSTOR_ATTACKS } from './impostor-attacks.ts';
import { TLS_ATTACKS } from './tls-attacks.ts';

/** The tables of docs/attacks.md, by their headings. */
export const ATTACK_TABLES: Readonly<Record<string, readonly AttackRow[]>> = {
  'The handshake': TLS_ATTACKS,
  'The certificate': CERTIFICATE_ATTACKS,
  'The server': IMPOSTOR_ATTACKS,
  'HTTP/1.1': HTTP_ATTACKS,
  'HTTP/2': HTTP2_ATTACKS,
  'The API': API_ATTACKS,
  'A certificate that the CA should not have issued': IDENTITY_ATTACKS,
};

export function tableOf(rows: readonly AttackRow[]): string {
  const cells = rows.map(({ what, promised, seen }) => `| ${what} | ${promised} | ${seen} |`);
  return ['| attack | promised | seen |', '|---|---|---|', ...cells].join('\n');
}
