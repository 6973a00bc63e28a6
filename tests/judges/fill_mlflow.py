"""Puts a registered model with many versions into a database, through MLflow's own store.

usage: fill_mlflow.py DATABASE_URI COUNT

A thousand versions through the server would take a minute; the last five, with their runs, tags and
aliases, come through the server in the test itself.
"""

import sys

from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

uri, count = sys.argv[1], int(sys.argv[2])
store = SqlAlchemyStore(uri)
store.create_registered_model("label-bot")
for number in range(1, count + 1):
    store.create_model_version("label-bot", f"s3://models/label-bot/{number}")
