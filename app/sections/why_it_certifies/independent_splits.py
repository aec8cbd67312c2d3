"""Independent splits? Why the pixels may share one random number, or none."""

import streamlit as st

INDEPENDENT = """
**SSN, the randomized parent of DSSN**, needs only that the split of each pixel be uniform; usually, as here, every
split is drawn independently. DSSN takes *one* number, j, and lets all pixels share it: pixel i has a split half a grey
level above (vᵢ + j) mod N, and every N levels from there. Then there are only N different samples, and they can all be
counted. Why does sharing cost the bound nothing?

- **The bound looks at one pixel at a time.** Two images have the same sample unless some pixel's split falls between
  its two values. For pixel i that happens for at most |kᵢ − k′ᵢ| of the N values of j, *however the splits of
  different pixels are related*. Adding these up (the union bound) gives at most Σ|kᵢ − k′ᵢ| changed samples: the L1
  distance. Nowhere did we need independence.
- **It only changes what happens below the bound.** With independent splits, changes in several pixels overlap, whatever
  pixels they are: an L1 distance of λ, spread thinly over many of them, changes 39 % of all samples, where the bound is
  50 %. In DSSN random steps overlap as often, but whoever knows the offsets can choose steps that never meet in one
  sample, and so reach the bound. Guaranteed overlap (on which the larger radii under box constraints, on Compare,
  rest) is given up for an exact count.
- **Additive noise cannot share.** With x + u, u uniform in a box, two images' noise clouds must overlap in *every*
  coordinate at once. Share one random number over all pixels and the clouds become two parallel line segments, which in
  general do not meet at all: no certificate is left.

So in splitting noise the randomness of different pixels may be tied together, and that is what makes it possible to
leave chance out altogether.
"""


def independent_splits() -> None:
    st.markdown(INDEPENDENT)
