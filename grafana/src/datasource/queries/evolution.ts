import { map } from 'rxjs';
import { type Ask } from './query';

/** The stream's frames as they are: all queries share them. */
export const evolution: Ask = ({ feed }) =>
  feed.updates.pipe(map(({ frames, connection }) => ({ frames, connection })));
