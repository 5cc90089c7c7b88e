"""scikit-learn: MLPClassifier, public methods alone, shuffle off and no L2, with our first weights put into it.

Full batches: fit() with warm_start and max_iter, so that it checks its arguments once in so many iterations. Without hidden
layers it is logistic regression by gradient descent, which no other class of scikit-learn trains (SGDClassifier takes one
example at a time, LogisticRegression other methods). Mini-batches: partial_fit() on each. Its costs are those of loss_curve_.
Its Adam adds ε to a v that is not corrected yet; to do the same as the others, ε is given anew for every step.
"""

import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from training import runs, slice_of

warnings.simplefilter("ignore", ConvergenceWarning)


def version():
    return f"scikit-learn {sklearn.__version__}"


def prepare(job, folder, precision):
    return runs(Network, job, folder, np.dtype(precision).type)


class Network:
    def __init__(self, job, x, y, weights):
        self.job, self.x, self.first = job, x, weights
        self.y = y.astype(int)
        self.restart()

    def restart(self):
        job = self.job
        self.net = MLPClassifier(
            hidden_layer_sizes=tuple(w.shape[0] for w in self.first[:-1]),
            solver="adam" if job.get("adam") else "sgd",
            momentum=0,
            nesterovs_momentum=False,
            alpha=0,
            learning_rate_init=job.get("rate", 1),
            batch_size=job.get("batch", 2),
            shuffle=False,
            tol=0,
            n_iter_no_change=10**9,
            warm_start=True,
            random_state=0,
        )
        # two examples make the arrays; then they get the first weights, and the optimizer is made anew over them
        two = np.zeros((2, self.first[0].shape[1]), self.first[0].dtype)
        self.net.set_params(batch_size=2).partial_fit(two, np.array([0, 1]), classes=[0, 1])
        self.net.set_params(batch_size=job.get("batch", 2))
        self.net.coefs_ = [w.T.copy("C") for w in self.first]  # always copies: training moves them in place
        self.net.intercepts_ = [np.zeros(w.shape[0], w.dtype) for w in self.first]
        self.net.loss_curve_ = []
        del self.net._optimizer

    def steps(self, k, count):
        before = len(self.net.loss_curve_)
        if self.job["batch"] < self.job["m"]:
            for i in range(k, k + count):
                part = slice_of(self.job, i)
                self.set_epsilon(1e-8 * np.sqrt(1 - 0.999 ** (i + 1)))
                self.net.partial_fit(self.x[part], self.y[part])
        else:
            self.net.set_params(max_iter=count).fit(self.x, self.y)
        return self.net.loss_curve_[before:]

    def set_epsilon(self, epsilon):
        self.net.set_params(epsilon=epsilon)  # for the optimizer that the first call makes
        if hasattr(self.net, "_optimizer"):
            self.net._optimizer.epsilon = epsilon

    def answer(self, x):
        return self.net.predict_proba(x)[:, 1]
