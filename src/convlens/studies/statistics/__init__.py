"""Statistics: estimates, intervals, findings and verdicts. Numbers in, numbers and words out; no trial is known here.

Reading order::

    stats.py             means and paired differences over seeds, with t-intervals
    two_way.py           over seeds and images, for images in general
    cross_validation.py  over the folds of a repeated cross-validation
    welch.py             two independent samples
    superiority.py       P(A > B); mcnemar.py: image by image
    looks.py             at how many seeds a verdict may be drawn, and at which level
    finding.py           better, equivalent or worse against a margin; Holm's method
    power.py             the seeds that a new run would need
    region.py            the values for which a claim is true
    verdict.py           from an interval and a region to a word
"""
