/** 0x0478: AES-256-GCM, keys derived by HKDF with SHA-512, committing, without a signature (Encryption SDK specification, "algorithm suites"). */
export const SUITE_ID = Buffer.of(0x04, 0x78);

export const CIPHER = 'aes-256-gcm';
export const TAG_BYTES = 16;
export const IV_BYTES = 12;
export const DATA_KEY_BYTES = 32;
