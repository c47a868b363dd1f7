import { useEffect, useState } from 'preact/hooks';

/** Whether a media query holds, now and from now on. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const take = (): void => setHolds(media.matches);
    media.addEventListener('change', take);
    return () => media.removeEventListener('change', take);
  }, [query]);
  return holds;
}
