import { corridor } from '../corridor.ts';

export const handler = corridor('PutImage');
