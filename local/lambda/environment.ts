// What the local functions have in their environment besides the template: addresses and credentials.

type Endpoints = {
  /** `undefined`: AWS itself. */
  ecr: string | undefined;
  s3: string;
  secretsManager: string;
  /** `undefined`: there are no tables. */
  dynamoDb: string | undefined;
};

/** Nobody's: the stand-ins take any. */
const localCredentials = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };

/** What the AWS SDK finds credentials, profiles and their helpers by. */
const operatorVariable = /^(AWS_\w+|HOME|PATH)$/;

const operatorCredentials = (variables: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      value !== undefined && operatorVariable.test(name) ? [[name, value]] : [],
    ),
  );

/** The AWS SDKs read the `AWS_ENDPOINT_URL_…` variables themselves: the handlers need no code for it. */
export const functionEnvironment = (
  { ecr, s3, secretsManager, dynamoDb }: Endpoints,
  upstream: 'stand-in' | 'aws',
  variables: NodeJS.ProcessEnv,
): Record<string, string> => ({
  ...(upstream === 'aws' ? operatorCredentials(variables) : localCredentials),
  ...(ecr !== undefined && { AWS_ENDPOINT_URL_ECR: ecr, AWS_ENDPOINT_URL_ECR_PUBLIC: ecr }),
  ...(dynamoDb !== undefined && { AWS_ENDPOINT_URL_DYNAMODB: dynamoDb }),
  AWS_ENDPOINT_URL_S3: s3,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager,
  // There is no X-Ray daemon to send to.
  POWERTOOLS_TRACE_ENABLED: 'false',
});
