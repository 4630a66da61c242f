#!/usr/bin/env python3
"""metric_vectors.py - prints the numbers of test_metrics.c that are scikit-learn's. Scores and
labels are those of the test, from its hash. Needs python3-sklearn."""
import warnings

import numpy as np
from sklearn import metrics as m

warnings.simplefilter("ignore")         # 0/0 is 0
N, C = 60, 4


def mixed(stream, index):
    """test_hash of test.h."""
    h = (index * 0x9E3779B1 + (stream + 1) * 0xC2B2AE3D) & 0xFFFFFFFF
    for shift, k in (15, 0x2C1B3C6D), (13, 0x297A2D39):
        h = ((h ^ h >> shift) * k) & 0xFFFFFFFF
    return h ^ h >> 16


def show(name, values):
    print('{ "%s", { %s } },' % (name, ", ".join("%.17g" % v for v in np.atleast_1d(values))))


scores = np.array([[np.float32(mixed(1, i * C + c) % 16) / np.float32(16) for c in range(C)]
                   for i in range(N)], np.float32)
labels = np.array([mixed(2, i) % 3 if i % 2 else int(scores[i].argmax()) for i in range(N)])
labels[labels == 3] = 1                 # class 3 is predicted but never right
p = (scores * 16 + 1) / 64              # sums of these are exact
p[:, 3] = 1 - p[:, :3].sum(1)
predicted = scores.argmax(1)
each = m.precision_recall_fscore_support(labels, predicted, labels=range(C))
for name, column in zip(("precision", "recall", "f1", "support"), each):
    show(name, column)
show("iou", m.jaccard_score(labels, predicted, average=None, labels=range(C)))
for average in "macro", "weighted", "micro":
    show(average, m.precision_recall_fscore_support(labels, predicted, average=average)[:3]
         + (m.jaccard_score(labels, predicted, average=average),))
show("accuracy, balanced, matthews, kappa",
     [m.accuracy_score(labels, predicted), m.balanced_accuracy_score(labels, predicted),
      m.matthews_corrcoef(labels, predicted), m.cohen_kappa_score(labels, predicted)])
show("roc", [m.roc_auc_score(labels == c, scores[:, c]) for c in range(3)])
show("pr", [m.average_precision_score(labels == c, scores[:, c]) for c in range(3)])
show("log loss", m.log_loss(labels, p.astype(float), labels=range(C)))
outputs = scores[:, :2].astype(float)
targets = np.array([[mixed(3, 2 * i + c) % 64 / 64 for c in range(2)] for i in range(N)])
show("mae, rmse, r2", [m.mean_absolute_error(targets, outputs),
                       np.sqrt(m.mean_squared_error(targets, outputs)),
                       m.r2_score(targets, outputs)])
print(m.classification_report(labels, predicted))
