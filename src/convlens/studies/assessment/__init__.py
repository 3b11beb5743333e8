"""Assessment: from a study and its trials to what was found.

Reading order::

    evidence.py   from trials to the numbers and verdicts of one study
    by_image.py   what the predictions of two arms say, image by image
    judgement.py  from what was measured for each estimand to its finding and verdict
"""
