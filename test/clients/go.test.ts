import { describeDoor2 } from '../contract/door-2-suite.ts';
import { go, withClient } from './installed.ts';

withClient(go, () => {
  describeDoor2({
    ...go,
    registries: ['ecr', 'ecr-public'],
  });
});
