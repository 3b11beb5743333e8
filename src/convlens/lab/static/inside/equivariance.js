/** The equivariance meter: does a layer move its map when the drawing moves? */

import { diverging, scaleOf } from "../colour.js";
import { bothMaps, equivariance } from "../engine/equivariance.js";
import { fitted } from "../fit.js";
import { Pixels } from "../pixels.js";
import { html, useMemo } from "../view.js";
import { percent, shiftWords, signed } from "../words.js";
import { layout } from "./layers.js";

const NONE = new Map();

/**
 * The error of every node under the present shift; empty without one.
 * @returns {Map<string, import("../engine/equivariance.js").NodeError>}
 */
export function useMeters(model, still, [right, down]) {
  return useMemo(() => {
    const [height, width] = model?.inputShape ?? [0, 0];
    if (!(right || down) || Math.abs(down) >= height || Math.abs(right) >= width) return NONE;
    const errors = equivariance(model, fitted(still, model.inputShape), [down, right]);
    return new Map(errors.map((one) => [one.node, one]));
  }, [model, still, right, down]);
}

/** f(T x) beside T' f(x), and their difference, for one map of a layer. */
export function Equivariance({ model, still, node, unit, shift, meter }) {
  const maps = useMemo(
    () => meter && bothMaps(model, fitted(still, model.inputShape), [shift[1], shift[0]], meter),
    [model, still, node, meter],
  );
  if (!maps) return html`<p class="note">Shift the drawing, and this compares the layer's map before and after.</p>`;
  const plan = layout(maps.shape);
  if (!plan.isMap) {
    return html`<p>
      ${node.name} has no positions left, so it can only stay the same: under this shift (${shiftWords(shift)}) its values
      change by <strong>${meter.error === null ? "–" : percent(meter.error)}</strong>.
    </p>`;
  }
  const channel = unit?.[2] ?? 0;
  const size = scaleOf(maps.ofShifted.filter((_, at) => at % plan.stride === channel)); // of this map alone
  const difference = { colours: diverging, least: -size.most, most: size.most };
  const image = { height: plan.height, width: plan.width, offset: channel, stride: plan.stride };
  const [down, across] = meter.moved;
  return html`
    <p class="note">
      Map ${channel + 1} of ${node.name}. The drawing is shifted ${shiftWords(shift)}; its map should move by
      ${" "}${signed(across)} across and ${signed(down)} down${meter.whole ? "" : ", the nearest whole shift: its stride does not divide this one"}.
    </p>
    <div class="three">
      <figure><${Pixels} values=${maps.ofShifted} scale=${size} ...${image} label="Map of the shifted drawing" />
        <figcaption>of the shifted drawing</figcaption></figure>
      <figure><${Pixels} values=${maps.shiftedMap} scale=${size} ...${image} label="Map of the drawing, shifted" />
        <figcaption>its own map, shifted</figcaption></figure>
      <figure><${Pixels} values=${maps.difference} scale=${difference} ...${image} label="Their difference" />
        <figcaption>difference</figcaption></figure>
    </div>
    <dl class="sum">
      <div><dt>error, whole map</dt><dd>${share(meter.error)}</dd></div>
      <div><dt>without what the shift moved in or out</dt><dd>${share(meter.kept)}</dd></div>
      <div class="total"><dt>also without what the edge reaches</dt><dd>${share(meter.interior)}</dd></div>
    </dl>
    <p class="note">${meter.broken ? "The layer breaks the symmetry." : "Away from the edge, the layer moves with the drawing exactly."}</p>
  `;
}

const share = (value) => (value === null ? "–" : value < 1e-5 ? "none" : percent(value));
