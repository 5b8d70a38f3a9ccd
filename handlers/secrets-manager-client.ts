/** Of the client of Secrets Manager what reading needs: imported dynamically as a whole, the package could not be tree-shaken. */
export { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
