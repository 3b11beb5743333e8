# %% [markdown]
# # Convolutional layers: why do they work, and when do they not?
#
# This notebook looks for the answer with you, from the pixels up. It will show
#
# 1. **the data**, as you see it and as a network sees it;
# 2. **a convolution by hand**, in loops that you can follow, and the same from the library;
# 3. **two networks**, one dense and one convolutional, trained here while you wait, and compared;
# 4. **what they learnt**: filters, maps, and which layer moves when the digit moves;
# 5. **shift**: a digit that you can drag, while both networks say what they see;
# 6. **kernel size**, 7. **the ladder** from dense to convolutional, and 8. **how many images** each network needs;
# 9. **when not to** convolve;
# 10. **ten claims**, and what came of them; and **exercises**, whose answers are folded away.
#
# It takes less than five minutes on two cores. Run it from top to bottom, or read it as it is.
#
# **Where the numbers come from.** None was typed in. Each comes from a training in this notebook, or from the *stored
# results* of a study, which were measured beforehand with several seeds, and are labelled so. A training here is one
# run with one seed: good for seeing how something works, too little for saying that it is so. For that there are
# the studies.
#
# Every section begins with a question, and with another one: *what do you expect?* Answer it, aloud if you can,
# before you read on. It is the quickest way to learn something from the result.

# %%
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown, display

import convlens as cl
from convlens import lens
from convlens.claims.rows import claims
from convlens.figures.drag import draggable
from convlens.lens.shift import shifted
from convlens.markup import html_table
from convlens.ops.window import Window
from convlens.studies.results.shipped import read_shipped, shipped_names
from convlens.wording import percent

plt.rcParams.update({"figure.dpi": 80, "font.size": 10, "image.cmap": "gray_r", "axes.titlesize": 10})

# %% [markdown]
# Three small helpers: one draws pictures side by side, one shows what is stored of a study, one folds an answer away.


# %%
def row_of(pictures, titles=(), *, cmap="gray_r", symmetric=False):
    """Draw pictures side by side, all on one scale; white is 0 if it is symmetric."""
    largest = max(abs(np.asarray(one)).max() for one in pictures)
    _, panels = plt.subplots(1, len(pictures), figsize=(min(1.5 * len(pictures), 12), 1.9), squeeze=False)
    for axes, picture, title in zip(panels[0], pictures, [*titles, *[""] * len(pictures)], strict=False):
        axes.imshow(picture, cmap=cmap, vmin=-largest if symmetric else 0, vmax=largest)
        axes.set_title(title)
        axes.set_axis_off()
    plt.show()


def stored(name):
    """Show the stored result of a study: its question, its figure, and its verdict."""
    if name not in shipped_names():
        display(Markdown(f"*The study “{name}” is not stored yet. `convlens study run {name}` measures it.*"))
        return
    result = read_shipped(name)
    study = result.evidence.study
    display(Markdown(f"**Stored: {name}.** {study.question}<br>*Predicted before it ran:* {study.prediction}"))
    display(cl.figures.study_pictures(result)[0])
    display(Markdown(f"**Measured.** {result.verdict.sentence}"))


def answer(text, open_with="Answer"):
    """Fold an answer away."""
    display(HTML(f"<details><summary>{open_with}</summary>{text}</details>"))


# %% [markdown]
# ## 1. The data
#
# **Here are the digits that people wrote. What would you look at, to tell a 3 from an 8?**
#
# *What do you expect:* is it the ink at certain places, or certain shapes at any place?

# %%
digits = cl.data.load("mnist")
digits

# %%
of_each = [np.flatnonzero(digits.train.labels == digit)[:2] for digit in range(10)]
images = digits.train.images
for k in range(2):
    row_of([images[places[k], :, :, 0] for places in of_each], [str(digit) for digit in range(10)])

# %% [markdown]
# You see shapes. A network sees numbers: how dark each pixel is, from 0 to 255. This is the middle of the
# first 3:

# %%
first = images[of_each[3][0], :, :, 0]
print("\n".join(" ".join(f"{pixel:3d}" for pixel in line[8:20]) for line in first[6:18]))

# %% [markdown]
# Now shuffle the pixels, *all images by the same shuffle*. No number is lost, and every pixel is still in a place of
# its own. Could you read these?

# %%
shuffled = digits.permuted(seed=0)
row_of([shuffled.train.images[places[0], :, :, 0] for places in of_each], [str(digit) for digit in range(10)])

# %% [markdown]
# You cannot, because you use what is *near* what. A dense network has no idea which pixels are near each other: to it,
# both rows are equally easy. Keep that in mind; section 9 comes back to it.

# %% [markdown]
# ## 2. A convolution by hand
#
# **What does a convolution do to a picture?** It lays a small window of weights, the *kernel*, on every place of the
# picture; multiplies each pixel by the weight above it; and writes down the sum. That is all.
#
# *What do you expect:* this kernel has -1 on its left, and +1 on its right. Where in a digit will the sum be large,
# where negative, and where 0?

# %%
upright_edge = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
flat_edge = upright_edge.T


def convolve(picture, kernel):
    """Lay the kernel on every place of the picture, and write down the sum of products."""
    size = len(kernel)
    height, width = picture.shape
    result = np.zeros((height - size + 1, width - size + 1))
    for row in range(height - size + 1):
        for column in range(width - size + 1):
            total = 0.0
            for i in range(size):
                for j in range(size):
                    total += picture[row + i, column + j] * kernel[i, j]
            result[row, column] = total
    return result


picture = first / 255
row_of([picture], ["the digit"])
row_of(
    [convolve(picture, upright_edge), convolve(picture, flat_edge)],
    ["upright edges", "flat edges"],
    cmap="PuOr",
    symmetric=True,
)

# %% [markdown]
# Purple is positive, orange negative, white 0. On the left side of a stroke it gets darker from left to right, so the
# sum is positive; on the right side it is negative; where nothing changes it is 0. The same nine weights found every
# edge, wherever it was.
#
# **Is that really what the library computes?** Its `conv2d` takes many images and kernels at once, and has no loops.
# Up to rounding it must agree with ours.

# %%
x = picture[None, :, :, None]  # one image, 28 x 28, one channel
w = np.stack([upright_edge, flat_edge], axis=-1)[:, :, None, :].astype(float)  # 3 x 3, one channel in, two out
y, _ = cl.ops.conv2d(x, w, np.zeros(2), Window(kernel=(3, 3)))
by_hand = np.stack([convolve(picture, upright_edge), convolve(picture, flat_edge)], axis=-1)
print("shape:", y.shape)
print("equal to rounding:", np.allclose(y[0], by_hand, rtol=0, atol=1e-12))

# %% [markdown]
# **And if the digit moves?** *What do you expect of the map?*

# %%
moved = np.roll(picture, (2, 3), axis=(0, 1))
map_before, map_after = convolve(picture, upright_edge), convolve(moved, upright_edge)
row_of(
    [map_before, map_after],
    ["its edges", "moved"],
    cmap="PuOr",
    symmetric=True,
)
print("the map of the moved digit is the moved map:", np.array_equal(map_after[2:, 3:], map_before[:-2, :-3]))

# %% [markdown]
# The map moves with the digit, to the last bit. This is called *equivariance*, and nothing had to be learnt for it.

# %% [markdown]
# ## 3. Two networks
#
# **Does it help?** Here are two networks. In the *dense* one, every unit sees every pixel, each with a weight of its
# own. The *convolutional* one (CNN) has two layers of 3 x 3 kernels, each followed by *max-pooling*, which keeps the
# largest of 2 x 2 values; then a dense layer on top.
#
# *What do you expect:* which one has more weights? Which one is better, and by how many images in a hundred?

# %%
dense, cnn = cl.models.build("baseline", seed=0), cl.models.build("cnn", seed=0)
display(dense, cnn)

# %% [markdown]
# Check one row by hand: a 3 x 3 kernel over 16 channels has 3 · 3 · 16 weights, there are 32 of them, and each has a
# bias.

# %%
print("conv2:", f"{3 * 3 * 16 * 32 + 32:,}", "as the table says:", f"{cnn.summary().rows[3].parameters:,}")

# %% [markdown]
# Now train both, with the same images, in the same order, by the same recipe. To keep it short: 6,000 of the 54,000
# training images, three times each.

# %%
few = digits.subset(6000)
runs = {"dense": cl.train.fit(dense, few, "good"), "CNN": cl.train.fit(cnn, few, "good")}

# %%
table = [
    (name, run.model.program.parameter_count, percent(run.validation.accuracy), percent(run.test.accuracy))
    for name, run in runs.items()
]
HTML(html_table("one run each", ("network", "parameters", "validation accuracy", "test accuracy"), table))

# %% [markdown]
# Is it the size? The CNN has about twice the parameters. So give the dense network as many:

# %%
wide = cl.models.build("baseline-wide", seed=0)
runs["dense, as large"] = cl.train.fit(wide, few, "good", progress=False)
wrong = {name: round((1 - run.test.accuracy) * run.test.images) for name, run in runs.items()}
figure, axes = plt.subplots(figsize=(6, 1.8))
bars = axes.barh(list(wrong), list(wrong.values()), color="#0072b2")
axes.bar_label(bars, padding=3)
axes.margins(x=0.12)
axes.invert_yaxis()
axes.set_xlabel(f"test images taken for another digit, of {runs['CNN'].test.images:,}")
plt.show()

# %% [markdown]
# That was one run each. Would it come out like this again? The study repeated it with other initial weights and
# other orders of the images, with all of them, and compared pairs:

# %%
stored("baseline-vs-cnn")

# %% [markdown]
# ## 4. What they learnt
#
# **What did the first layers find out, from nothing but labels?** Each started from random numbers.
#
# *What do you expect:* what will the nine weights of a kernel look like, and what the 784 of a dense unit?

# %%
kernels = lens.filters(cnn)["conv1"][..., 0]
row_of(kernels[:8], [f"kernel {k + 1}" for k in range(8)], cmap="PuOr", symmetric=True)
units = dense.parameters["dense1.w"].reshape(28, 28, -1)
row_of([units[..., k] for k in range(8)], [f"unit {k + 1}" for k in range(8)], cmap="PuOr", symmetric=True)

# %% [markdown]
# Where a kernel has purple beside orange it answers to an edge, like ours in section 2. In the dense units you see
# little but noise: each has a weight for every pixel, and must learn at every place what a kernel learns once. Here is
# what the first kernels of each layer answer to one digit (dark: a large value):

# %%
seen = digits.validation.images
digit = int(np.flatnonzero(digits.validation.labels == 3)[0])
values = lens.activations(cnn, seen[digit : digit + 1], ["relu1", "relu2"])
row_of([seen[digit, :, :, 0]], ["the digit"])
for name, words in (("relu1", "first"), ("relu2", "second")):
    row_of([values[name][0, :, :, k] for k in range(8)], [f"{words}, {k + 1}" for k in range(8)])

# %% [markdown]
# **Which layer moves when the digit moves?** In section 2 the map moved exactly with the digit. In a network, layer
# follows layer. Shift the images by four pixels, and ask every layer: how far is your value from the *moved* value of
# the image that was not shifted? 0 % means that it moved along exactly. Where a layer has no positions, the question
# is: how much did it change at all?
#
# *What do you expect:* where does it break?

# %%
meters = {name: lens.equivariance(network, seen[:500], (0, 4)) for name, network in (("CNN", cnn), ("dense", dense))}
meters["CNN"]

# %%
figure, panels = plt.subplots(1, 2, figsize=(10, 3), gridspec_kw={"width_ratios": (2, 1)}, sharey=True)
for axes, (name, meter) in zip(panels, meters.items(), strict=True):
    errors = [100 * (one.error if one.interior is None else one.interior) for one in meter.nodes]
    colours = ["#0072b2" if one.kind == "equivariance" else "#d55e00" for one in meter.nodes]
    axes.bar([one.node for one in meter.nodes], errors, color=colours)
    axes.tick_params(axis="x", rotation=60)
    axes.set_title(f"{name}: equivariant until {meter.first_broken}")
panels[0].set_ylabel("error, %")
plt.show()

# %% [markdown]
# Away from the edge of the image, every convolution and every pooling layer moves along exactly (blue; four pixels are
# a whole number of steps even after two poolings). Then the maps are laid out in one long row, and there are no places
# any more: from there on (orange) every value changes. In the dense network that is the first thing that happens. A
# CNN is equivariant up to its dense layers, and no further: that a moved digit is the same, it still has to *learn*.

# %% [markdown]
# ## 5. Shift
#
# **So does the CNN recognise a digit that was moved?** All digits of this data set are centred, so neither network
# has ever seen one in a corner.
#
# *What do you expect:* how many pixels can a digit move before the dense network is lost? And before the CNN is?

# %%
offsets = [(0, dx) for dx in range(-8, 9)]
true = digits.validation.labels
shifts = {name: lens.under_shift(network, seen[:1000], true[:1000], offsets)
          for name, network in (("CNN", cnn), ("dense", dense))}  # fmt: skip
figure, axes = plt.subplots(figsize=(7, 3))
for (name, found), style in zip(shifts.items(), ("o-", "s--"), strict=True):
    axes.plot(found.offsets[:, 1], 100 * found.accuracy, style, label=name)
axes.axhline(10, color="grey", linestyle=":", label="guessing")
axes.set(xlabel="shift to the right, pixels", ylabel="accuracy, %", ylim=(0, 102))
axes.legend()
plt.show()

# %% [markdown]
# Now move one yourself: drag the digit with the pointer, or click on it and use the arrow keys. (Run this cell first.)

# %%
draggable(seen[digit], {"CNN": cnn, "dense": dense})

# %% [markdown]
# The same without dragging: the digit at five places, and how sure each network is that it is a 3.

# %%
places = [0, 2, 4, 6, 8]
at = [shifted(seen[digit : digit + 1], 0, dx) for dx in places]
titles = [
    f"{dx} px\nCNN {cnn.predict_proba(one)[0, 3]:.0%}\ndense {dense.predict_proba(one)[0, 3]:.0%}"
    for dx, one in zip(places, at, strict=True)
]
row_of([one[0, :, :, 0] for one in at], titles)

# %% [markdown]
# Max-pooling is said to give *translation invariance*. Does it, or does something else? The study compared it with
# other ways to make maps smaller, and with training on shifted digits:

# %%
stored("translation")

# %%
stored("pooling")

# %% [markdown]
# ## 6. Kernel size
#
# **Are larger kernels better?** A 5 x 5 kernel sees more than a 3 x 3 one, and costs more.
#
# *What do you expect:* how do the parameters of the whole network grow from 3 x 3 to 7 x 7? And the accuracy?

# %%
sizes = {size: cl.models.build("cnn", kernel_size=size, seed=0) for size in (3, 5, 7)}
rows = [
    (
        f"{size} x {size}",
        sum(row.parameters for row in model.summary().rows if row.kind == "conv2d"),
        model.program.parameter_count,
        model.program.flops,
    )
    for size, model in sizes.items()
]
HTML(html_table("the CNN", ("kernel", "parameters of the convolutions", "of the network", "FLOPs an image"), rows))

# %% [markdown]
# The convolutions grow with the square of the kernel's side. The network hardly grows: almost all its parameters are
# in the first dense layer. What grows is the work.
#
# Train each three times on 1,000 images, with three seeds:

# %%
thousand = digits.subset(1000)
accuracies = {
    size: [
        cl.train.fit(
            cl.models.build("cnn", kernel_size=size, seed=seed),
            thousand,
            "good",
            test=False,
            doubt=False,
            progress=False,
        ).validation.accuracy
        for seed in range(3)
    ]
    for size in (3, 5, 7)
}
figure, axes = plt.subplots(figsize=(6, 2))
for size, found in accuracies.items():
    axes.plot([100 * one for one in found], [f"{size} x {size}"] * len(found), "o", color="#0072b2", fillstyle="none")
    axes.plot(100 * np.mean(found), f"{size} x {size}", "|", color="#d55e00", markersize=22)
axes.set_xlabel("validation accuracy, %; circles: three seeds, bar: their mean")
axes.margins(y=0.3)
axes.invert_yaxis()
plt.show()

# %% [markdown]
# Look at how far the circles of *one* size lie apart. That is chance, and a difference between sizes must be seen
# through it. Anybody who trains each size once, and reports the best, reports mostly luck. With more seeds and more
# images:

# %%
stored("kernel-size")

# %%
stored("stacking")

# %% [markdown]
# ## 7. The ladder
#
# **What exactly makes a CNN good?** It differs from a dense network in several things at once: it looks *locally*, it
# *shares* its weights between places, and it *pools*. Go up a ladder, one thing at a time.
#
# *What do you expect:* which step gains most? Is there one that gains nothing?

# %%
from convlens.studies.catalog.bias_ladder import RUNGS  # noqa: E402 - here, where it is needed

ladder = {}
for rung in ("dense", "local", "convolution", "pooling"):
    network = cl.nn.Model(RUNGS[rung][0].layers(10), (28, 28, 1), seed=0)
    run = cl.train.fit(network, thousand, "good", epochs=6, test=False, doubt=False, progress=False)
    ladder[rung] = (RUNGS[rung][1], network.program.parameter_count, percent(run.validation.accuracy))
HTML(html_table("one run each, 1,000 images", ("rung", "parameters", "validation accuracy"), list(ladder.values())))

# %% [markdown]
# Is that what you expected? Did every rung gain? Beware: it is one run each, of a few images, and all rungs have the
# learning rate of one recipe, which need not be the best for each. The study tuned it for every rung, and has more of
# everything:

# %%
stored("bias-ladder")

# %% [markdown]
# ## 8. How many images?
#
# **When does it help most?** What a network knows beforehand, it need not learn from images.
#
# *What do you expect:* is the CNN's lead larger with few images, or with many?

# %%
from convlens.studies.regime import epochs_for  # noqa: E402 - here, where it is needed

counts = [50, 200, 1000, 3000]
lead = {"baseline": [], "cnn": []}
for name, found in lead.items():
    for n in counts:
        network, images_of = cl.models.build(name, seed=0), digits.subset(n)
        run = cl.train.fit(
            network, images_of, "good", epochs=epochs_for(n), test=False, doubt=False, progress=False
        )  # fewer images are shown more often, so that all trainings have at least 300 steps
        found.append(100 * (1 - run.validation.accuracy))
figure, axes = plt.subplots(figsize=(6, 3))
for (name, found), style in zip(lead.items(), ("s--", "o-"), strict=True):
    axes.loglog(counts, found, style, label={"baseline": "dense", "cnn": "CNN"}[name])
axes.set(xlabel="training images", ylabel="wrong, % (validation)")
axes.set_xticks(counts, [f"{n:,}" for n in counts])
axes.set_yticks([2, 5, 10, 20, 40], ["2", "5", "10", "20", "40"])
axes.minorticks_off()
axes.legend()
plt.show()

# %% [markdown]
# Both axes are logarithmic: the same vertical distance is the same *factor* between the errors. With more seeds and up
# to all images:

# %%
stored("sample-efficiency")

# %% [markdown]
# ## 9. When not to
#
# **Is there something that a convolution is bad at?** It assumes that near pixels belong together, and that a pattern
# means the same everywhere. Take the shuffled digits of section 1, where the first is false.
#
# *What do you expect:* what happens to the dense network, and what to the CNN?

# %%
shuffled_few = shuffled.subset(6000)
found = {}
for name, words in (("baseline", "dense"), ("cnn", "CNN")):
    run = cl.train.fit(cl.models.build(name, seed=0), shuffled_few, "good", doubt=False, progress=False)
    found[words] = (words, percent(runs[words].test.accuracy), percent(run.test.accuracy))
HTML(
    html_table("one run each, 6,000 images", ("network", "digits as they are", "pixels shuffled"), list(found.values()))
)

# %% [markdown]
# The dense network hardly notices; the CNN loses its lead. It was not better at learning in general: it was right about
# digits. The same with more seeds, and then with tables, series and graphs, where simple rivals are at
# home:

# %%
stored("pixel-permutation")

# %%
stored("not-for-convolution")

# %% [markdown]
# ## 10. The claims, and what came of them
#
# An earlier project, which this one succeeds, made ten claims about all this. Most are repeated in many courses.
#
# *What do you expect:* how many of them hold?
#
# Each study answers one question. This is what is stored of them; *inconclusive* is an answer too.

# %%
results = [read_shipped(name) for name in shipped_names()]
missing = sorted(set(cl.studies.entries()) - {result.name for result in results})
if results:
    rows = [(one.name, one.evidence.study.question, one.verdict.label) for one in results]
    display(HTML(html_table("stored results", ("study", "question", "answer"), rows)))
if missing:
    display(Markdown(f"*Not stored yet: {', '.join(missing)}.*"))

# %% [markdown]
# And these are the claims, part by part. Some need no experiment, only arithmetic; the others are answered by the
# studies.

# %%
parts = claims({}, "convlens reproduce", stored={result.name: result.evidence for result in results})


def verdict_of(part):
    """Return the verdict by arithmetic, or by stored results."""
    if part.metric is None:
        return part.verdict.label
    return "not stored yet" if part.stored is None else part.stored.verdict.label


rows = [(part.number, part.claim, part.claimed, verdict_of(part)) for part in parts if not part.beside]
HTML(html_table("the claims", ("claim", "in words", "claimed", "verdict"), rows))

# %% [markdown]
# Do not take even the arithmetic from a table. *Both networks have similar numbers of parameters*; *7 x 7 kernels need
# about 1.5M*. Count:

# %%
counted = {"dense": dense, "CNN": cnn, "CNN, 5 x 5": sizes[5], "CNN, 7 x 7": sizes[7]}
rows = [(name, model.program.parameter_count) for name, model in counted.items()]
display(HTML(html_table("counted", ("network", "parameters"), rows)))
print(f"CNN to dense: {cnn.program.parameter_count / dense.program.parameter_count:.1f} to 1")

# %% [markdown]
# `convlens reproduce` puts all the claims to the test on your machine, and writes a report.

# %% [markdown]
# ## Exercises
#
# Write down your answer before you unfold the measured one. The cells under the exercises compute them.
#
# **1.** How many pixels of the image does one unit of the second pooling layer see? (Start with one unit of `conv1`,
# and go up.)

# %% jupyter={"source_hidden": true}
sights = [f"{row.name}: {row.receptive_field}" for row in cnn.summary().rows if row.receptive_field != "all"]
answer("<br>".join(sights))

# %% [markdown]
# **2.** In section 4 the images moved by four pixels. Which layer is the first to break equivariance if they move by
# *one*? By *two*? Why?

# %% jupyter={"source_hidden": true}
broken = {dx: lens.equivariance(cnn, seen[:200], (0, dx)).first_broken for dx in (1, 2, 4)}
answer(
    "<br>".join(f"moved by {dx}: {node}" for dx, node in broken.items())
    + "<br>A pooling layer takes two steps at a time, so its map can only move by whole steps of that size."
)

# %% [markdown]
# **3.** Training with shifted digits is another way to learn that place does not matter. Train the *dense* network
# with digits that are shifted at random by up to four pixels. How well does it then know digits that are four pixels
# off?

# %% jupyter={"source_hidden": true}
from convlens.train import RECIPES  # noqa: E402 - here, where it is needed

recipe = RECIPES["good"].changed({"augmentation": {"shift": 4}, "epochs": 6})
trained_shifted = cl.models.build("baseline", seed=0)
cl.train.fit(trained_shifted, few, recipe, test=False, doubt=False, progress=False)
compared = {"dense": dense, "CNN": cnn, "dense, trained with shifted digits": trained_shifted}
rows = [
    (name, *(percent(one) for one in lens.under_shift(model, seen[:1000], true[:1000], [(0, 0), (0, 4)]).accuracy))
    for name, model in compared.items()
]
answer(html_table("one run each", ("network", "centred digits", "4 pixels to the right"), rows))

# %% [markdown]
# **4.** Is max-pooling better than taking the average? Predict it, then train the CNN with `pooling="average"`, and
# with `pooling="strided"` (no pooling: the convolutions take two steps at a time).

# %% jupyter={"source_hidden": true}
rows = []
for kind in ("max", "average", "strided"):
    network = cl.models.build("cnn", pooling=kind, seed=0)
    run = cl.train.fit(network, thousand, "good", epochs=6, test=False, doubt=False, progress=False)
    rows.append((kind, percent(run.validation.accuracy)))
answer(
    html_table("one run each, 1,000 images", ("pooling", "validation accuracy"), rows)
    + "One run each decides nothing. The stored study <i>pooling</i>, above, has more."
)

# %% [markdown]
# **5.** Which digits do all networks of section 3 get wrong? Look at them: would you have known?

# %% jupyter={"source_hidden": true}
networks = {name: run.model for name, run in runs.items()}
hard = lens.always_wrong([model.predict(seen) for model in networks.values()], true)
answer(f"{len(hard.index):,} of {hard.images:,} validation images. The first of them are below.")
shown = hard.index[:8]
row_of(
    [seen[k, :, :, 0] for k in shown], [f"{true[k]}, said {said}" for k, said in zip(shown, hard.usual, strict=False)]
)

# %% [markdown]
# **6.** How much does chance do? Train the CNN of section 6 with ten seeds instead of three, and look at the spread.
# Then read how many seeds an open verdict of section 10 would need. *(This one has no folded answer: it is yours.)*
#
# ---
# Where to go from here: `convlens study list` names the studies, `convlens study run NAME --profile quick` runs one in
# a minute or so, and `CONTRIBUTING.md` shows how to add your own.
