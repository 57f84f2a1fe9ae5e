"""Which versions of libraries a contestant runs on."""

import importlib.metadata


def of(*packages):
    """Versions by the names of the packages."""
    return {package: importlib.metadata.version(package) for package in packages}
