import { startJavaScript } from '../support/javascript-client.ts';
import { describeDoor2 } from './aws-api-suite.ts';

describeDoor2({
  name: 'the AWS SDK for JavaScript',
  start: startJavaScript,
  registries: ['ecr', 'ecr-public'],
});
