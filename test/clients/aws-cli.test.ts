import { describeDoor2 } from '../contract/door-2-suite.ts';
import { cli, withClient } from './installed.ts';

withClient(cli, () => {
  describeDoor2({
    ...cli,
    registries: ['ecr', 'ecr-public'],
  });
});
