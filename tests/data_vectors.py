#!/usr/bin/env python3
"""data_vectors.py - prints the numbers of test_data.c that are scikit-learn's and PyTorch's:
folds, shares of classes, shards. Needs python3-sklearn and python3-torch."""
import warnings

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, StratifiedShuffleSplit
from torch.utils.data import DistributedSampler

warnings.simplefilter("ignore")         # a class may have fewer samples than there are folds
LABELS = np.array([2, 0, 1, 1, 0, 2, 2, 2, 0, 1, 2, 2, 0, 3, 2, 2, 1, 0, 3, 2, 2, 0, 1])

for folds in 2, 3, 5:
    for kind in KFold, StratifiedKFold:
        of = np.zeros(len(LABELS), int)
        for i, (_, test) in enumerate(kind(folds).split(LABELS, LABELS)):
            of[test] = i
        print('{ %d, %d, "%s" },' % (folds, kind is StratifiedKFold, "".join(map(str, of))))
for count in 4, 9, 11, 15:
    split = StratifiedShuffleSplit(1, train_size=count, test_size=len(LABELS) - count)
    train, _ = next(split.split(LABELS, LABELS))
    print("{ %d, { %s } }," % (count, ", ".join(map(str, np.bincount(LABELS[train], minlength=4)))))
for n, shards, drop in (23, 4, 0), (23, 4, 1), (3, 5, 0):
    print('{ %d, %d, %d, "%s" },' % (n, shards, drop, "; ".join(
        " ".join(map(str, DistributedSampler(range(n), shards, k, False, drop_last=bool(drop))))
        for k in range(shards))))
