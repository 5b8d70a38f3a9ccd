/** The parts of the client that reading a secret needs. A dynamic import of the whole package could not be tree-shaken. */
export { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
