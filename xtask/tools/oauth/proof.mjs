// A proof of a key after RFC 9449, by somebody else's library. It prints the proof.
//
// proof.mjs KEY METHOD URL [TOKEN]
// KEY is a file with a private key (JWK); it is made if it is not there. TOKEN is the access token that is shown with the proof.

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { SignJWT, exportJWK, generateKeyPair, importJWK } from 'jose';

const [file, htm, htu, token] = process.argv.slice(2);

if (!existsSync(file)) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  writeFileSync(file, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600 });
}

const secret = JSON.parse(readFileSync(file, 'utf8'));
const { kty, crv, x, y } = secret;
const claims = { jti: randomUUID(), htm, htu };
if (token) {
  claims.ath = createHash('sha256').update(token).digest('base64url');
}

console.log(
  await new SignJWT(claims)
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } })
    .setIssuedAt()
    .sign(await importJWK(secret, 'ES256')),
);
