"""rnp inside of one block, as a namespace: whatever is made through it is deferred.

The array API suite takes the name of a module. This one enters a block when it is imported and
never leaves it.
"""

from typing import Any

import rnp
from rnp import *  # noqa: F403 - the suite asks for the names that a namespace has

rnp.lazy().__enter__()


def __getattr__(name: str) -> Any:
    return getattr(rnp, name)
