"""Real changes of a repository, as data: from patch files, a range of commits, or two releases.

    given.changes_from(profile, ...)  -> the changes that a user asks for

Nothing of a source is executed. Not here: what becomes of a change in a tree that has moved on (bugs).
"""
