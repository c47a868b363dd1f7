/** The 16 bytes of a UUID, which stand for a branch key's version in a message. */
export function versionBytes(version: string): Buffer {
  return Buffer.from(version.replaceAll('-', ''), 'hex');
}

/** The UUID again, as the key store writes it. */
export function versionText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
