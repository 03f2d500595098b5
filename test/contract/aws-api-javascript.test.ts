import { startJavaScript } from '../support/javascript-client.ts';
import { describeAwsApi } from './aws-api-suite.ts';

describeAwsApi({
  name: 'the AWS SDK for JavaScript',
  start: startJavaScript,
  registries: ['ecr', 'ecr-public'],
});
