import { describeDoor2 } from '../contract/aws-api-suite.ts';
import { cli, withClient } from './installed.ts';

withClient(cli, () => {
  describeDoor2({
    ...cli,
    registries: ['ecr', 'ecr-public'],
  });
});
