"""Test accuracy of classifiers of scikit-learn; prints, as JSON, accuracy and processor seconds of each.

Usage: sklearn_accuracy.py FOLDER FOLDS TREES SEED THREADS, where FOLDER holds training-x.npy,
training-y.npy, test-x.npy and test-y.npy. Settings are chosen by cross-validation on the training
samples: logistic regression, a support vector machine with an RBF kernel, a random forest, boosted
trees.
"""

import json
import resource
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

warnings.filterwarnings("ignore")


def processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main(folder: Path, folds: int, trees: int, seed: int, threads: int) -> None:
    x, y, test_x, test_y = (
        np.load(folder / f"{name}.npy") for name in ("training-x", "training-y", "test-x", "test-y")
    )
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)

    def tuned(model, grid):
        return GridSearchCV(model, grid, cv=split)

    def scaled(model):
        return make_pipeline(StandardScaler(), model)

    powers = 10.0 ** np.arange(-3, 4)
    models = [
        tuned(scaled(LogisticRegression(max_iter=3000)), {"logisticregression__C": powers}),
        tuned(
            scaled(SVC()),
            {"svc__C": [0.1, 1, 10, 100], "svc__gamma": np.array([0.1, 1, 10]) / x.shape[1]},
        ),
        tuned(
            RandomForestClassifier(trees, random_state=seed, n_jobs=threads),
            {"max_features": ["sqrt", 0.5]},
        ),
        tuned(
            HistGradientBoostingClassifier(random_state=seed),
            {"learning_rate": [0.03, 0.1], "max_leaf_nodes": [7, 31]},
        ),
    ]
    scores = []
    for model in models:
        before = processor_seconds()
        accuracy = model.fit(x, y).score(test_x, test_y)
        scores.append({"accuracy": accuracy, "cpu": processor_seconds() - before})
    print(json.dumps(scores))


main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
