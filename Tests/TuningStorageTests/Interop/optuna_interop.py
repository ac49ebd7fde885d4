"""What the tests ask of the real Optuna: one command a run, a storage URL as its first argument.

write URL        makes the study "python" with everything a storage can hold
go-on URL NAME   runs five trials more in a study, with Optuna's default sampler
dump URL         prints all studies as JSON: what Optuna reads
schema URL       prints the statements and rows that make an empty SQLite database
dashboard URL    prints what optuna-dashboard's API says about the first study
work URL NAME N  runs N trials of a study that other workers share
"""

import json
import math
import sys
import time
from datetime import datetime, timedelta, timezone

import optuna
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from optuna.trial import TrialState, create_trial

optuna.logging.set_verbosity(optuna.logging.ERROR)


def open_storage(url):
    if url.startswith("journal:"):
        from optuna.storages.journal import JournalFileBackend

        return optuna.storages.JournalStorage(JournalFileBackend(url.removeprefix("journal:")))
    return url.replace("postgresql://", "postgresql+psycopg2://")


def write(url):
    storage = open_storage(url)
    study = optuna.create_study(storage=storage, study_name="python", direction="maximize")
    study.set_user_attr("note", {"é": [1, 2.5, None, True, "x\n"], "big": 2**40, "tiny": 1e-300})
    study.set_metric_names(["score"])
    distributions = {
        "x": FloatDistribution(-1.5, 2.5),
        "lr": FloatDistribution(1e-6, 1e-1, log=True),
        "step": FloatDistribution(0.0, 0.3, step=0.1),
        "n": IntDistribution(1, 9, step=2),
        "k": IntDistribution(1, 1024, log=True),
        "c": CategoricalDistribution(["a", None, 2, 2.5, False, "ü"]),
    }
    params = {"x": 0.1, "lr": 1e-5, "step": 0.2, "n": 5, "k": 64, "c": 2.5}
    start = datetime(2024, 2, 29, 23, 59, 59, 999999)
    for state, values in [
        (TrialState.COMPLETE, [0.1]),
        (TrialState.COMPLETE, [math.inf]),
        (TrialState.COMPLETE, [-math.inf]),
        (TrialState.PRUNED, [1e-5]),
        (TrialState.FAIL, None),
    ]:
        trial = create_trial(
            state=state,
            values=values,
            params=params,
            distributions=distributions,
            user_attrs={"why": ["é", 1], "nan": math.nan},
            system_attrs={"s": {"inf": math.inf}, "constraints": [-1.0, 0.5]},
            intermediate_values={0: 1.5, 3: math.nan, 1: math.inf, 2: -math.inf},
        )
        trial.datetime_start = start
        trial.datetime_complete = start + timedelta(days=366, microseconds=1)
        study.add_trial(trial)
    study.enqueue_trial({"x": 1.0, "c": None}, user_attrs={"queued": True})
    trial = study.ask()
    trial.suggest_float("x", -1.5, 2.5)
    trial.report(0.25, 7)
    trial.set_constraint("time", -0.5)
    optuna.create_study(
        storage=storage, study_name="two ☃", directions=["minimize", "maximize"]
    ).add_trial(create_trial(values=[1.0, 2.0]))


def objective(trial):
    value = trial.suggest_float("x", -1.5, 2.5)
    value += {"a": 0, None: 1, 2: 2, 2.5: 3, False: 4, "ü": 5}[
        trial.suggest_categorical("c", ["a", None, 2, 2.5, False, "ü"])
    ]
    return value


def go_on(url, name):
    study = optuna.load_study(
        study_name=name, storage=open_storage(url), sampler=optuna.samplers.TPESampler(seed=1)
    )
    study.optimize(objective, n_trials=5)


def utc(time):
    return time and time.astimezone(timezone.utc).isoformat(timespec="microseconds")


def dump(url):
    storage = open_storage(url)
    result = []
    for name in optuna.get_all_study_names(storage):
        study = optuna.load_study(study_name=name, storage=storage)
        result.append(
            {
                "name": name,
                "directions": [d.name.lower() for d in study.directions],
                "user_attrs": study.user_attrs,
                "metric_names": study.metric_names,
                "trials": [
                    {
                        "number": t.number,
                        "state": t.state.name,
                        "values": t.values,
                        "start": utc(t.datetime_start),
                        "complete": utc(t.datetime_complete),
                        "params": t.params,
                        "distributions": {
                            k: json.loads(distribution_to_json(d))
                            for k, d in t.distributions.items()
                        },
                        "user_attrs": t.user_attrs,
                        "system_attrs": t.system_attrs,
                        "intermediate": {str(k): v for k, v in t.intermediate_values.items()},
                    }
                    for t in study.trials
                ],
            }
        )
    print(json.dumps(result, sort_keys=True))


def schema(url):
    import sqlite3

    optuna.storages.RDBStorage(url)
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    for query in [
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name",
        "SELECT * FROM version_info",
        "SELECT * FROM alembic_version",
    ]:
        for row in connection.execute(query):
            print(*row)


def dashboard(url):
    from wsgiref.util import setup_testing_defaults

    import optuna_dashboard

    app = optuna_dashboard.wsgi(open_storage(url))

    def get(path):
        environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET"}
        setup_testing_defaults(environ)
        status = []
        body = b"".join(app(environ, lambda text, headers, *_: status.append(text)))
        assert status == ["200 OK"], (path, status, body)
        return json.loads(body)

    study = get("/api/studies")["study_summaries"][0]
    trials = get(f"/api/studies/{study['study_id']}")["trials"]
    print(study["study_name"], len(trials), *(t["state"] for t in trials))


def work(url, name, count):
    """Several of these share a study with st-host; a lost server is waited for."""
    storage = open_storage(url)
    if isinstance(storage, str):
        # Five seconds, the default, are not enough to queue for SQLite's lock.
        options = {"connect_args": {"timeout": 60}} if storage.startswith("sqlite") else {}
        storage = optuna.storages.RDBStorage(
            storage, engine_kwargs={"pool_pre_ping": True, **options})
    study = optuna.load_study(
        study_name=name, storage=storage, sampler=optuna.samplers.RandomSampler()
    )

    def slow(trial):
        x = trial.suggest_float("x", 0, 1)
        n = trial.suggest_int("n", 1, 10)
        trial.set_user_attr("worker", "python")
        time.sleep(0.01)
        return x * n

    study.optimize(slow, n_trials=int(count))


if __name__ == "__main__":
    {"write": write, "go-on": go_on, "dump": dump, "work": work, "schema": schema,
     "dashboard": dashboard}[sys.argv[1]](*sys.argv[2:])
