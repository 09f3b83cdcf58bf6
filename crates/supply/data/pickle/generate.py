"""Writes sklearn.txt from the installed libraries: `python generate.py > sklearn.txt`.

A class comes on the list when nothing but its own library decides what happens when it is made empty
and filled: it is defined in the library, it is no loader, and its `__setstate__`, if it has one of its
own, was read. Names are exact; nothing is imported by a scan.
"""

import importlib
import inspect
import pkgutil
import sys
import warnings

warnings.simplefilter("ignore")

PACKAGES = ["sklearn", "scipy.sparse", "scipy.stats", "scipy.interpolate", "scipy.spatial", "scipy.optimize", "scipy.signal", "scipy.linalg", "pandas"]
SKIP = ("test", "conftest", "setup", "datasets", "_build", "externals", "io.", "plotting", "computation", "_testing", "inspection", "weave", "utils._joblib", "_cython", "f2py", "doc")
# Bases of classes that hold data.
BASES = {"BaseEstimator"}
# Loaders, runners, and whatever takes a callable to run it at once.
NEVER = {"BlockManager", "SingleBlockManager", "Memory", "Parallel", "LargeConstant", "DataFrame.eval", "ExcelFile", "HDFStore", "ExcelWriter", "StataReader"}
# Functions that `__reduce__` of these libraries names.
MAKERS = {"newObj", "_unpickle_block", "_unpickle_timestamp", "_new_Index", "_new_DatetimeIndex", "_new_PeriodIndex", "_new_IntervalIndex", "_nat_unpickle", "_timedelta_unpickle", "_timestamp_unpickle", "_period_unpickle"}


def modules(package):
    root = importlib.import_module(package)
    # Its public names are in frameworks.txt, by hand.
    if package != "pandas":
        yield root
    if not hasattr(root, "__path__"):
        return
    for info in pkgutil.walk_packages(root.__path__, package + ".", onerror=lambda _: None):
        if any(part in info.name for part in SKIP):
            continue
        try:
            yield importlib.import_module(info.name)
        except Exception:
            continue


print("# scikit-learn, SciPy, and pandas: written by generate.py from", end=" ")
import pandas, scipy, sklearn

print(f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, pandas {pandas.__version__}.")
seen = {}
for package in PACKAGES:
    for module in modules(package):
        for name, value in sorted(vars(module).items()):
            if name.startswith("__pyx_unpickle") or name in MAKERS:
                seen.setdefault(("call", module.__name__), set()).add(name)
                continue
            is_function = inspect.isfunction(value) or inspect.isbuiltin(value) or type(value).__name__ == "cython_function_or_method"
            if is_function and package == "sklearn" and value.__module__ == module.__name__ and name == value.__name__ and not name.startswith("__"):
                seen.setdefault(("value", module.__name__), set()).add(name)
            if not inspect.isclass(value) or value.__module__ != module.__name__ or name != value.__qualname__:
                continue
            if name in NEVER or issubclass(value, BaseException):
                continue
            # Classes of C and Cython are made by their constructor, in `__reduce__`.
            compiled = str(getattr(module, "__file__", "")).endswith(".so")
            seen.setdefault(("call" if compiled else "new", module.__name__), set()).add(name)
for (word, module), names in sorted(seen.items()):
    print(word, module, *sorted(names))
