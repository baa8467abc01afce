// Key pairs of node that can be exported as a JWK.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';

/**
 * Like generateKeyPairSync, by way of PEM: a generated key shares its lock with the job that made it, and when
 * that job is collected as garbage just while the key is exported as a JWK, node 20 waits for itself for ever.
 */
export function keyPair(type, options = {}) {
  const { privateKey } = generateKeyPairSync(type, {
    ...options, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  const own = createPrivateKey(privateKey);
  return { privateKey: own, publicKey: createPublicKey(own) };
}
