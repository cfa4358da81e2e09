"""Functions and classes as texts of their own: taken out of a file, shown in it, and put back as somebody rewrote them.

`layout` knows a file row by row, `views` makes what is shown, `reading` judges what comes back, `placing` puts it in.
Nothing here is run; a text that cannot be used is answered with the reason.
"""

from __future__ import annotations

from swesmith_gym.languages.python.rewriting.reading import code_in, rewritten
from swesmith_gym.languages.python.rewriting.views import contexts, entity_text, rewritable

__all__ = ["code_in", "contexts", "entity_text", "rewritable", "rewritten"]
