import { useEffect, useState } from 'react';
import { Motion } from './types';

const QUERY = '(prefers-reduced-motion: reduce)';

/** Whether things should jump in place of gliding: as the option says, else as the system does, also when it changes. */
export function useReducedMotion(motion: Motion): boolean {
  const [reduced, setReduced] = useState(() => window.matchMedia(QUERY).matches);
  useEffect(() => {
    const query = window.matchMedia(QUERY);
    const changed = () => setReduced(query.matches);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, []);
  return motion === Motion.Reduced || reduced;
}
