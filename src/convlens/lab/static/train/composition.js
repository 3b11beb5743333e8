/** What is planned, as the server sees it: shapes, parameters and receptive fields; and what is wrong, and where. */

import { useEffect, useState } from "../view.js";
import { asked } from "./plan.js";
import { SILENT, ask } from "./trainings.js";

const WAIT = 120; // ms after the last change

/**
 * Asked whenever the plan changes, and when the lab answers again; the last answer until the next one is there.
 * @returns {{composition: object | null, refused: string, settings: string}} `refused`: the data; `settings`: the recipe
 */
export function useComposition(plan, reachable) {
  const [found, setFound] = useState({ composition: null, refused: "", settings: "" });
  const body = asked(plan);
  useEffect(() => {
    const gone = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const answer = await ask("/compose", { method: "POST", body, signal: gone.signal });
        const { refused = "", settings } = answer;
        setFound((before) => ({ composition: refused ? before.composition : answer, refused, settings: settings ?? "" }));
      } catch (error) {
        if (error.name !== "AbortError" && error.message !== SILENT) setFound((before) => ({ ...before, settings: error.message }));
      }
    }, WAIT);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [JSON.stringify(body), reachable]);
  return found;
}
