"""Writes Tests/TuningTests/Golden/gaussian_process.json: what Optuna's Gaussian processes and acquisition
functions say at a few points. GaussianProcessTests compares.

    python scripts/golden/gaussian_process.py [OUTPUT_FILE]
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna._gp import acqf, gp, prior, search_space
from optuna._hypervolume import get_non_dominated_box_bounds
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

warnings.simplefilter("ignore")
rng = np.random.RandomState(3)
SPACE = {
    "x": FloatDistribution(-1, 2), "lr": FloatDistribution(1e-5, 1e-1, log=True), "q": FloatDistribution(0, 1, step=0.25),
    "n": IntDistribution(1, 40), "w": IntDistribution(1, 64, log=True), "c": CategoricalDistribution(["a", "b", "c"]),
}
N, DRAWS = 21, 16
internal = search_space.SearchSpace(SPACE)
X = internal.sample_normalized_params(N, rng)
QUERIES = internal.sample_normalized_params(5, rng)
RUNNING = internal.sample_normalized_params(2, rng)
Y = np.stack([np.sin(3 * X[:, 0]) + X[:, 1] ** 2 + 0.3 * X[:, 5], -((X[:, 3] - 0.4) ** 2) + 0.2 * X[:, 4] * X[:, 0]], axis=1)
Y = (Y - Y.mean(axis=0)) / Y.std(axis=0)
C = X[:, 0] + X[:, 2] - 0.8
C = (C - C.mean()) / C.std()


def process(values, seed):
    """With parameters of its own, as given to the test."""
    p = np.random.RandomState(seed).uniform(0.3, 3, len(SPACE) + 2)
    made = gp.GPRegressor(
        torch.from_numpy(internal.is_categorical), torch.from_numpy(X), torch.from_numpy(values), torch.from_numpy(p[:-2]),
        torch.tensor(p[-2], dtype=torch.float64), torch.tensor(p[-1] / 100, dtype=torch.float64))
    made._cache_matrix()
    return made, dict(lengths=p[:-2].tolist(), scale=p[-2], noise=p[-1] / 100)


def loss(values, logs, deterministic):
    raw = torch.tensor(logs, dtype=torch.float64, requires_grad=True)
    made = gp.GPRegressor(
        torch.from_numpy(internal.is_categorical), torch.from_numpy(X), torch.from_numpy(values), torch.exp(raw[:-2]), torch.exp(raw[-2]),
        torch.tensor(1e-6, dtype=torch.float64) if deterministic else torch.exp(raw[-1]) + 1e-6)
    result = -made.marginal_log_likelihood() - prior.default_log_prior(made)
    result.backward()
    return dict(logs=list(logs), deterministic=deterministic, value=result.item(), gradient=raw.grad.tolist())


def evaluated(function):
    values, gradients = zip(*[function.eval_acqf_with_grad(q.copy()) for q in QUERIES])
    assert np.allclose(function.eval_acqf_no_grad(QUERIES), values)
    return dict(values=list(values), gradients=[g.tolist() for g in gradients])


def main():
    output = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "Tests/TuningTests/Golden/gaussian_process.json")
    made, parameters = zip(*[process(v, s) for s, v in enumerate((Y[:, 0], Y[:, 1], C))])
    first, second, constraint = made
    normals = {d: np.random.RandomState(d).normal(size=(DRAWS, d)) for d in (2, 3)}
    fixed = lambda dim, n_samples, seed: torch.from_numpy(normals[dim])
    gp.sample_from_normal_sobol = acqf.sample_from_normal_sobol = fixed
    threshold, limit = float(Y[:, 0].max()), 0.1
    y, common = torch.from_numpy(Y), dict(n_qmc_samples=DRAWS, qmc_seed=0)
    batch = dict(common, normalized_params_of_running_trials=RUNNING)
    limits = dict(constraints_gpr_list=[constraint], constraints_threshold_list=[limit])
    functions = dict(
        logEI=acqf.LogEI(first, internal, threshold),
        logPI=acqf.LogPI(constraint, internal, limit),
        logEHVI=acqf.LogEHVI([first, second], internal, y, **common),
        qLogEI=acqf.qLogEI(first, internal, threshold, **batch),
        qLogCEI=acqf.qLogCEI(first, internal, threshold, **batch, **limits),
        qLogEHVI=acqf.qLogEHVI([first, second], internal, y, **batch),
        qLogCEHVI=acqf.qLogCEHVI([first, second], internal, y, **batch, **limits),
    )
    mean, variance = first.posterior(torch.from_numpy(QUERIES))
    fitted = gp.fit_kernel_params(X, Y[:, 0], internal.is_categorical, prior.default_log_prior, 1e-6, False, gtol=1e-7)
    z = [-400.0, -60.0, -25.5, -24.5, -3.0, 0.0, 0.7, 12.0]
    fronts = []
    for objectives in (2, 3, 4):
        values = np.round(rng.rand(14, objectives), 2)
        values[3] = values[2]
        reference = acqf._get_reference_point(torch.from_numpy(values))
        low, high = acqf._get_non_dominated_box_bounds(torch.from_numpy(values), reference)
        order = np.lexsort(low.numpy().T[::-1])
        fronts.append(dict(values=values.tolist(), reference=reference.tolist(), low=low.numpy()[order].tolist(),
                           sizes=np.minimum((high - low).numpy()[order], 1e300).tolist()))
    file = dict(
        points=X.tolist(), values=Y.T.tolist(), constraint=C.tolist(), queries=QUERIES.tolist(), running=RUNNING.tolist(),
        params=[internal.get_unnormalized_param(q) for q in QUERIES], parameters=list(parameters), threshold=threshold, limit=limit,
        normals={str(d): n.tolist() for d, n in normals.items()},
        means=mean.tolist(), variances=variance.tolist(),
        losses=[loss(Y[:, 0], np.random.RandomState(s).uniform(-2, 1, len(SPACE) + 2).tolist(), s == 2) for s in range(3)],
        fitted=dict(lengths=fitted.inverse_squared_lengthscales.tolist(), scale=fitted.kernel_scale.item(), noise=fitted.noise_var.item()),
        improvements=dict(z=z, values=acqf.standard_logei(torch.tensor(z, dtype=torch.float64)).tolist()),
        functions={name: evaluated(f) for name, f in functions.items()}, fronts=fronts,
        sample=dict(seed=12, points=internal.sample_normalized_params(8, np.random.RandomState(12)).tolist()),
    )
    output.write_text(json.dumps(file, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
