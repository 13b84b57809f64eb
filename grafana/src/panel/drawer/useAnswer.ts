import { useEffect, useState } from 'react';

export interface Answer<T> {
  value?: T;
  error?: string;
  loading: boolean;
}

/** Ask once per *key*; an answer that comes after the next question is dropped, and the last one stays until then. */
export function useAnswer<T>(key: string, ask: () => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<{ of: string; value?: T; error?: string }>({ of: '' });
  useEffect(() => {
    let current = true;
    const told = (change: { value?: T; error?: string }) =>
      current && setAnswer((before) => ({ ...before, error: undefined, ...change, of: key }));
    ask().then(
      (value) => told({ value }),
      (error: unknown) => told({ error: error instanceof Error ? error.message : String(error) })
    );
    return () => {
      current = false;
    };
    // What is asked is told by the key; the function is made anew with each rendering.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return { value: answer.value, error: answer.error, loading: answer.of !== key };
}
