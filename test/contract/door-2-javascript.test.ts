import { startJavaScript } from '../support/javascript-client.ts';
import { describeDoor2 } from './door-2-suite.ts';

describeDoor2({
  name: 'the AWS SDK for JavaScript',
  start: startJavaScript,
  registries: ['ecr', 'ecr-public'],
});
