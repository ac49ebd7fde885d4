-- Arguments of SQLAlchemy that have no meaning here are named.
local optuna = require "optuna"

optuna.storages.RDBStorage{ url = "sqlite://", engine_kwargs = { connect_args = { pragma = 1 } } }
